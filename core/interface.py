"""The interface for programs, with the routers of all apps."""

from django.contrib import admin
from django.urls import path

from api import reading
from api.frame import interface
from discovery.api import leases
from storage.api import files
from storage.api import router as index

interface.openapi_extra["tags"] = [
    {"name": "leases", "description": "Leases, and what is known of their archives."},
    {"name": "index", "description": "Runs that compare what lies in storage with its rows."},
    {"name": "files", "description": "What lies in storage, by name."},
]
interface.add_router("/leases", leases, tags=["leases"])
interface.add_router("/index", index, tags=["index"])
interface.add_router("/files", files, tags=["files"])
interface.add_router("", reading.router)

addresses = interface.urls
for each in addresses[0]:
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    each.callback.should_append_slash = False  # type: ignore[union-attr]  # Django's own mark, which its types lack
urlpatterns = [
    path("api/v1/docs/", admin.site.admin_view(reading.page), name="interface"),
    path("api/v1/", addresses),
]
