from django.contrib import admin
from django.urls import path

from cloud import views
from cloud.archives import archive
from cloud.webhooks import webhook

_for_staff = admin.site.admin_view

urlpatterns = [
    path("archives/<int:pk>/", _for_staff(archive), name="open_archive"),
    path("dropbox/", _for_staff(views.account), name="dropbox_account"),
    path("dropbox/connect/", _for_staff(views.connect), name="dropbox_connect"),
    path("dropbox/callback/", views.callback, name="dropbox_callback"),
    path("dropbox/check/", _for_staff(views.check), name="dropbox_check"),
    path("dropbox/replace/", _for_staff(views.replace), name="dropbox_replace"),
    path("dropbox/disconnect/", _for_staff(views.disconnect), name="dropbox_disconnect"),
    path("dropbox/webhook/", webhook, name="dropbox_webhook"),
]
