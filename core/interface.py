"""The interface for programs, with the routers of all apps."""

from django.urls import path

from api.frame import interface, mount
from api.scopes import PLACE, Area
from discovery.api import leases as near
from leases.api import agencies, batches, contents, deleting, leases, many
from storage.api import files
from storage.api import router as index

for each_router in (leases, many, deleting, contents, near):
    mount("/leases", each_router, tag="leases", area=Area.LEASES)
mount("/batches", batches, tag="batches", area=Area.LEASES)
mount("/agencies", agencies, tag="agencies", area=Area.LEASES)
mount("/index", index, tag="index", area=Area.STORAGE)
mount("/files", files, tag="files", area=Area.STORAGE)

addresses = interface.urls
for each in addresses[0]:
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    each.callback.should_append_slash = False  # type: ignore[union-attr]  # Django's own mark, which its types lack
urlpatterns = [path(PLACE, addresses)]
