"""The project's addresses, and those of kettles: the console's are made anew from what is registered now."""

from django.conf import settings
from django.contrib import admin
from django.urls import path

from core import urls
from core.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path(f"{settings.ADMIN_PATH}/", admin.site.urls) if getattr(each, "namespace", "") == "admin" else each
    for each in urls.urlpatterns
]
