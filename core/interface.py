"""The interface for programs, with the routers of all apps."""

from django.urls import path

from api import reading
from api.frame import answering_heads, interface, mount
from api.scopes import PLACE, Area, declare_open
from core.http import uploads
from discovery.api import leases as near
from documents.api import STREAMED as OF_DOCUMENTS
from documents.api import router as documents
from documents.api import tus_router
from leases.api import STREAMED as OF_LEASES
from leases.api import agencies, batches, contents, deleting, importing, leases, many
from storage.api import files
from storage.api import router as index

# What each part is about, for who reads the description.
interface.openapi_extra["tags"] = [
    {"name": "leases", "description": "Leases, what is known of their archives, and what has happened to them."},
    {"name": "batches", "description": "Many leases that were made or run together."},
    {"name": "agencies", "description": "Agencies, and where their archives lie."},
    {"name": "documents", "description": "Documents, their versions and their bytes."},
    {"name": "index", "description": "Runs that compare what lies in storage with its rows."},
    {"name": "files", "description": "What lies in storage, by name."},
]
for each_router in (leases, many, importing, deleting, contents, near):
    mount("/leases", each_router, tag="leases", area=Area.LEASES)
mount("/batches", batches, tag="batches", area=Area.LEASES)
mount("/agencies", agencies, tag="agencies", area=Area.LEASES)
mount("/index", index, tag="index", area=Area.STORAGE)
mount("/files", files, tag="files", area=Area.STORAGE)
mount("/documents", documents, tag="documents", area=Area.DOCUMENTS)
mount("/documents", tus_router, tag="documents", area=Area.DOCUMENTS)
# What the interface is, each token may know.
declare_open("/openapi.json")
interface.add_router("", reading.router)

streamed = {**OF_LEASES, **OF_DOCUMENTS}
addresses = interface.urls
for each in addresses[0]:
    view = answering_heads(each.callback)
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    view.should_append_slash = False
    uploads.streamed(view, *streamed.get(each.name or "", ()))  # type: ignore[union-attr]  # a pattern, no resolver
    each.callback = view
urlpatterns = [path(PLACE, addresses)]
