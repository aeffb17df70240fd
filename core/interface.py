"""The interface for programs, with the routers of all apps."""

from django.urls import path

from api.frame import answering_heads, interface
from discovery.api import leases
from storage.api import files
from storage.api import router as index

interface.add_router("/leases", leases, tags=["leases"])
interface.add_router("/index", index, tags=["index"])
interface.add_router("/files", files, tags=["files"])

addresses = interface.urls
for each in addresses[0]:
    view = answering_heads(each.callback)
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    view.should_append_slash = False
    each.callback = view
urlpatterns = [path("api/v1/", addresses)]
