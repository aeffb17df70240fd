"""Which address leads where."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from dropbox_standin import api, control, oauth, pages
from dropbox_standin.wire import BINARY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from dropbox_standin.stage import Stage
    from dropbox_standin.world import World

EVERY_METHOD = ["GET", "POST", "PUT", "DELETE", "PATCH"]


def build(stage: Stage) -> Starlette:
    """The application: Dropbox's four hosts under one address, and the control API beside them."""

    def on_world(serve: Callable[[World, Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await serve(stage.world, request)

        return endpoint

    return Starlette(
        routes=[
            Route("/2/{route:path}", on_world(api.serve), methods=EVERY_METHOD),
            Route("/oauth2/token", on_world(oauth.token), methods=["POST"]),
            Route("/1/oauth2/token", on_world(oauth.token), methods=["POST"]),
            Route("/oauth2/authorize", on_world(oauth.show_consent), methods=["GET"]),
            Route("/oauth2/authorize", on_world(oauth.answer_consent), methods=["POST"]),
            Route("/apitl/1/{key}", on_world(_temporary_link), methods=["GET"]),
            Route("/scl/{kind}/{rest:path}", on_world(_shared_link), methods=["GET"]),
            Mount("/standin", routes=control.routes(stage)),
        ]
    )


async def _temporary_link(world: World, request: Request) -> Response:
    link = world.temporary_links.get(request.path_params["key"])
    if link is None or world.clock.time() >= link.expires_at:
        return Response("This temporary link has expired.", 410, media_type="text/plain")
    return Response(link.content, media_type=mimetypes.guess_type(link.name)[0] or BINARY)


async def _shared_link(world: World, request: Request) -> Response:
    link = world.links.get(str(request.url))
    if link is None or not link.leads_somewhere(world.clock.now()):
        return HTMLResponse(pages.problem("This link leads nowhere", "It was revoked, or what it led to is gone."), 404)
    return HTMLResponse(pages.shared(link))
