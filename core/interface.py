"""The interface for programs, with the routers of all apps."""

from django.urls import path

from api.frame import answering_heads, interface, mount
from api.scopes import PLACE, Area
from core.http import uploads
from discovery.api import leases as near
from documents.api import STREAMED
from documents.api import router as documents
from leases.api import agencies, batches, contents, deleting, leases, many
from storage.api import files
from storage.api import router as index

for each_router in (leases, many, deleting, contents, near):
    mount("/leases", each_router, tag="leases", area=Area.LEASES)
mount("/batches", batches, tag="batches", area=Area.LEASES)
mount("/agencies", agencies, tag="agencies", area=Area.LEASES)
mount("/index", index, tag="index", area=Area.STORAGE)
mount("/files", files, tag="files", area=Area.STORAGE)
mount("/documents", documents, tag="documents", area=Area.DOCUMENTS)

addresses = interface.urls
for each in addresses[0]:
    view = answering_heads(each.callback)
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    view.should_append_slash = False
    uploads.streamed(view, *STREAMED.get(each.name or "", ()))  # type: ignore[union-attr]  # a pattern, no resolver
    each.callback = view
urlpatterns = [path(PLACE, addresses)]
