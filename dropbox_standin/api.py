"""The API's routes under `/2/`: who calls, with what argument, from which root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import (
    args,
    batches,
    downloads,
    exchange,
    files,
    longpolls,
    revisions,
    search,
    sharing,
    thumbnails,
    uploads,
    users,
    writes,
)
from dropbox_standin.call import AppRoute, Call, OpenRoute, Route
from dropbox_standin.views import view_for
from dropbox_standin.wire import Answer, BadRequest, unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from dropbox_standin.journal import Entry
    from dropbox_standin.tokens import App
    from dropbox_standin.world import World

type AnyRoute = Route | AppRoute | OpenRoute

ROUTES: dict[str, AnyRoute] = {
    route.name: route
    for module in (files, downloads, longpolls, search, revisions, thumbnails, writes, batches, uploads, sharing, users)
    for route in module.ROUTES
}

RPC_TYPES = ("application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack")
CONTENT_TYPES = ("application/octet-stream", "text/plain; charset=dropbox-cors-hack")
DOWNLOAD_TYPES = ("", "text/plain", "text/plain; charset=utf-8", *CONTENT_TYPES)


async def serve(world: World, request: Request) -> Response:
    """One call of the API, from its arrival to its answer."""
    name = request.path_params["route"]
    body = await request.body()
    route = ROUTES.get(name)
    entry = exchange.begin(world, name)
    entry.path_root = request.headers.get("dropbox-api-path-root")
    _note(world, entry, request, route, body)

    async def work() -> Answer:
        if route is None:
            raise BadRequest(f'Unknown API function: "{name}".')
        _check_method(route, request)
        if isinstance(route, OpenRoute):
            return await route.run(world, _open_args(route, request, body))
        if isinstance(route, AppRoute):
            app = _app(world, request)
            _check_content_type("rpc", request, body)
            return route.run(app, _read(route.fields, body, _origin("rpc")))
        return route.run(_call(world, route, request, body))

    return await exchange.exchange(world, entry, work)


def _call(world: World, route: Route, request: Request, body: bytes) -> Call:
    """Check a call in the order of the real service: token, rate, root, scope, argument.

    Raises:
        WireError: one of them is not right.
    """
    token = world.tokens.authenticate(_credentials(request, "Bearer"))
    if world.rate_limit is not None:
        world.rate_limit.take(token.grant.account.account_id)
    view = view_for(token.grant.account, request.headers.get("dropbox-api-path-root"))
    if route.scope is not None and route.scope not in token.scopes:
        raise unauthorized("missing_scope", required_scope=route.scope)
    _check_content_type(route.style, request, body)
    arguments = _read(route.fields, _raw_args(route, request, body), _origin(route.style))
    return Call(world, arguments, token, view, body if route.style == "upload" else b"", request.headers)


def _check_method(route: AnyRoute, request: Request) -> None:
    allowed = ["POST"] if not isinstance(route, Route) or route.style != "download" else ["POST", "GET"]
    if request.method not in allowed:
        expected = " or ".join(f'"{method}"' for method in allowed)
        raise BadRequest(f'Your request\'s HTTP method is "{request.method}". Expecting {expected}.')


def _open_args(route: OpenRoute, request: Request, body: bytes) -> dict[str, Any]:
    """Raises: BadRequest: somebody shows a token where none is wanted, or the argument is not right."""
    if _authorization(request) is not None:
        raise BadRequest("Your request includes an Authorization header, but this function does not use it")
    _check_content_type("rpc", request, body)
    return _read(route.fields, body, _origin("rpc"))


def _authorization(request: Request) -> str | None:
    return request.headers.get("authorization") or request.query_params.get("authorization")


def _credentials(request: Request, kind: str) -> str:
    """What the caller shows, after the word that says of which kind it is.

    Raises:
        BadRequest: there is nothing, or something of another kind.
    """
    shown = _authorization(request)
    if shown is None:
        raise BadRequest('Must provide HTTP header "Authorization" or URL parameter "authorization".')
    given, _, value = shown.partition(" ")
    if given.lower() != kind.lower() or not value.strip():
        # The value itself is not repeated: it may hold a secret that would end up in somebody's log.
        raise BadRequest(f'Invalid authorization value in HTTP header "Authorization". Expecting "{kind} <token>".')
    return value.strip()


def _app(world: World, request: Request) -> App:
    """The app that shows its key and secret.

    Raises:
        BadRequest: it shows none.
        UnionError: they are not right.
    """
    app = world.tokens.app_for(_credentials(request, "Basic"))
    if app is None:
        raise unauthorized("invalid_access_token")
    return app


def _check_content_type(style: str, request: Request, body: bytes) -> None:
    given = request.headers.get("content-type", "")
    allowed = {"rpc": RPC_TYPES, "upload": CONTENT_TYPES, "download": DOWNLOAD_TYPES}[style]
    if given.lower() in allowed or (style == "rpc" and not body and not given):
        return
    expected = ", ".join(f'"{one}"' for one in allowed if one)
    raise BadRequest(f'Bad HTTP "Content-Type" header: "{given}". Expecting one of {expected}.')


def _raw_args(route: AnyRoute, request: Request, body: bytes) -> bytes:
    if not isinstance(route, Route) or route.style == "rpc":
        return body
    # The header's own bytes, which are UTF-8; whoever decodes them as Latin-1 makes other names of them.
    header = next((value for name, value in request.headers.raw if name == b"dropbox-api-arg"), b"")
    return header or request.query_params.get("arg", "").encode()


def _origin(style: str) -> str:
    return "request body" if style == "rpc" else 'HTTP header "Dropbox-API-Arg"'


def _read(fields: Mapping[str, args.Field], raw: bytes, origin: str) -> dict[str, Any]:
    try:
        return args.read(fields, raw)
    except args.Malformed as error:
        raise BadRequest(f"{origin}: {error}") from None


def _note(world: World, entry: Entry, request: Request, route: AnyRoute | None, body: bytes) -> None:
    """Write into the journal what can be told before the call is checked: a fault may come first."""
    token = world.tokens.access.get((_authorization(request) or "").partition(" ")[2])
    entry.account_id = token.grant.account.account_id if token else None
    arguments = args.peek(_raw_args(route, request, body)) if route else {}
    entry.note_args(arguments)
    cursor = world.cursors.kept.get(str(arguments.get("cursor")))
    if cursor is not None:
        entry.path = cursor.path
