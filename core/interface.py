"""The interface for programs, with the routers of all apps."""

from django.urls import path

from api.frame import interface
from discovery.api import leases as near
from leases.api import agencies, batches, contents, leases, many
from storage.api import files
from storage.api import router as index

for each_router in (leases, many, contents, near):
    interface.add_router("/leases", each_router, tags=["leases"])
interface.add_router("/batches", batches, tags=["batches"])
interface.add_router("/agencies", agencies, tags=["agencies"])
interface.add_router("/index", index, tags=["index"])
interface.add_router("/files", files, tags=["files"])

addresses = interface.urls
for each in addresses[0]:
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    each.callback.should_append_slash = False  # type: ignore[union-attr]  # Django's own mark, which its types lack
urlpatterns = [path("api/v1/", addresses)]
