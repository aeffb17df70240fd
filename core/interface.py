"""The interface for programs, with the routers of all apps."""

from django.contrib import admin
from django.urls import path

from api import reading
from api.frame import interface, mount
from api.scopes import PLACE, Area, declare_open
from discovery.api import leases
from storage.api import files
from storage.api import router as index

interface.openapi_extra["tags"] = [
    {"name": "leases", "description": "Leases, and what is known of their archives."},
    {"name": "index", "description": "Runs that compare what lies in storage with its rows."},
    {"name": "files", "description": "What lies in storage, by name."},
]
mount("/leases", leases, tag="leases", area=Area.LEASES)
mount("/index", index, tag="index", area=Area.STORAGE)
mount("/files", files, tag="files", area=Area.STORAGE)
# What the interface is, each token may know.
declare_open("/openapi.json")
interface.add_router("", reading.router)

addresses = interface.urls
for each in addresses[0]:
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    each.callback.should_append_slash = False  # type: ignore[union-attr]  # Django's own mark, which its types lack
urlpatterns = [
    path(f"{PLACE}docs/", admin.site.admin_view(reading.page), name="interface"),
    path(PLACE, addresses),
]
