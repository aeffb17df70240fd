"""The API's routes under `/2/`: who calls, with what argument, from which root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import args, batches, exchange, files, sharing, uploads, users, writes
from dropbox_standin.call import Call, OpenRoute, Route
from dropbox_standin.views import view_for
from dropbox_standin.wire import Answer, BadRequest, unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from dropbox_standin.journal import Entry
    from dropbox_standin.world import World

ROUTES: dict[str, Route | OpenRoute] = {
    route.name: route for module in (files, writes, batches, uploads, sharing, users) for route in module.ROUTES
} | {files.LONGPOLL.name: files.LONGPOLL}

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
        if request.method != "POST":
            raise BadRequest(f'Your request\'s HTTP method is "{request.method}". Expecting "POST".')
        if isinstance(route, OpenRoute):
            return await route.run(world, _open_args(route, request, body))
        return route.run(_call(world, route, request, body))

    return await exchange.exchange(world, entry, work)


def _call(world: World, route: Route, request: Request, body: bytes) -> Call:
    """Check a call in the order of the real service: token, rate, root, scope, argument.

    Raises:
        WireError: one of them is not right.
    """
    token = world.tokens.authenticate(_bearer(request))
    if world.rate_limit is not None:
        world.rate_limit.take(token.grant.account.account_id)
    view = view_for(token.grant.account, request.headers.get("dropbox-api-path-root"))
    if route.scope is not None and route.scope not in token.scopes:
        raise unauthorized("missing_scope", required_scope=route.scope)
    _check_content_type(route.style, request, body)
    arguments = _read(route.fields, _raw_args(route, request, body), _origin(route.style))
    return Call(world, arguments, token, view, body if route.style == "upload" else b"", request.headers)


def _open_args(route: OpenRoute, request: Request, body: bytes) -> dict[str, Any]:
    _check_content_type("rpc", request, body)
    return _read(route.fields, body, _origin("rpc"))


def _bearer(request: Request) -> str:
    """The bearer token.

    Raises:
        BadRequest: there is no header, or it is none that OAuth 2 knows.
    """
    header = request.headers.get("authorization")
    if header is None:
        raise BadRequest('Must provide HTTP header "Authorization" or URL parameter "authorization".')
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        # The value itself is not repeated: it may hold a secret that would end up in somebody's log.
        raise BadRequest('Invalid authorization value in HTTP header "Authorization". Expecting "Bearer <token>".')
    return token.strip()


def _check_content_type(style: str, request: Request, body: bytes) -> None:
    given = request.headers.get("content-type", "")
    allowed = {"rpc": RPC_TYPES, "upload": CONTENT_TYPES, "download": DOWNLOAD_TYPES}[style]
    if given.lower() in allowed or (style == "rpc" and not body and not given):
        return
    expected = ", ".join(f'"{one}"' for one in allowed if one)
    raise BadRequest(f'Bad HTTP "Content-Type" header: "{given}". Expecting one of {expected}.')


def _raw_args(route: Route | OpenRoute, request: Request, body: bytes) -> bytes:
    if isinstance(route, OpenRoute) or route.style == "rpc":
        return body
    return (request.headers.get("dropbox-api-arg") or request.query_params.get("arg", "")).encode("utf-8", "replace")


def _origin(style: str) -> str:
    return "request body" if style == "rpc" else 'HTTP header "Dropbox-API-Arg"'


def _read(fields: Mapping[str, args.Field], raw: bytes, origin: str) -> dict[str, Any]:
    try:
        return args.read(fields, raw)
    except args.Malformed as error:
        raise BadRequest(f"{origin}: {error}") from None


def _note(world: World, entry: Entry, request: Request, route: Route | OpenRoute | None, body: bytes) -> None:
    """Write into the journal what can be told before the call is checked: a fault may come first."""
    token = world.tokens.access.get(request.headers.get("authorization", "").partition(" ")[2])
    entry.account_id = token.grant.account.account_id if token else None
    arguments = args.peek(_raw_args(route, request, body)) if route else {}
    entry.note_args(arguments)
    cursor = world.cursors.kept.get(str(arguments.get("cursor")))
    if cursor is not None:
        entry.path = cursor.path
