"""Documents for programs: by the services that the console calls, and no rule of its own."""

from documents.api import actions, bundles, content, many, routes, shares, tus, uploads
from documents.api.router import router
from documents.api.tus import router as tus_router
from documents.api.uploads import STREAMED

__all__ = [
    "STREAMED",
    "actions",
    "bundles",
    "content",
    "many",
    "router",
    "routes",
    "shares",
    "tus",
    "tus_router",
    "uploads",
]
