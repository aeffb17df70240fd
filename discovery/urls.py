from django.contrib import admin
from django.urls import path

from discovery import overview

_for_staff = admin.site.admin_view

urlpatterns = [
    path("start/", overview.follow, name="start_live"),
]
