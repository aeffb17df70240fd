"""The interface for programs, with the routers of all apps."""

from django.urls import path

from api.frame import interface, mount
from api.scopes import PLACE, Area
from core.http import uploads
from discovery.api import leases
from documents.api import STREAMED
from documents.api import router as documents
from storage.api import files
from storage.api import router as index

mount("/leases", leases, tag="leases", area=Area.LEASES)
mount("/index", index, tag="index", area=Area.STORAGE)
mount("/files", files, tag="files", area=Area.STORAGE)
mount("/documents", documents, tag="documents", area=Area.DOCUMENTS)

addresses = interface.urls
for each in addresses[0]:
    # Who is led elsewhere sends a GET there, or nothing: a program that has left out the slash is told so.
    each.callback.should_append_slash = False  # type: ignore[union-attr]  # Django's own mark, which its types lack
    uploads.streamed(each.callback, *STREAMED.get(each.name or "", ()))  # type: ignore[union-attr]  # a pattern, no resolver
urlpatterns = [path(PLACE, addresses)]
