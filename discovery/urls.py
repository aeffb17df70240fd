from django.contrib import admin
from django.urls import path

from discovery import overview
from discovery.archives import archive

_for_staff = admin.site.admin_view

urlpatterns = [
    path("archives/<int:pk>/", _for_staff(archive), name="open_archive"),
    path("start/", overview.follow, name="start_live"),
]
