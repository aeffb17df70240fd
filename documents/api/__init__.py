"""Documents for programs: by the services that the console calls, and no rule of its own."""

from documents.api import actions, bundles, content, many, routes, uploads
from documents.api.router import router
from documents.api.uploads import STREAMED

__all__ = ["STREAMED", "actions", "bundles", "content", "many", "router", "routes", "uploads"]
