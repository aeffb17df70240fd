"""Documents for programs: by the services that the console calls, and no rule of its own."""

from ninja import Router

from documents.api.actions import router as actions
from documents.api.content import router as content
from documents.api.many import router as many
from documents.api.routes import router as routes
from documents.api.uploads import STREAMED
from documents.api.uploads import router as uploads

__all__ = ["STREAMED", "documents"]

documents = Router()
for each in (routes, uploads, many, actions, content):
    documents.add_router("", each)
