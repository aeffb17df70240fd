"""The control API under `/standin/`; the README describes it."""

from __future__ import annotations

import base64
import functools
import inspect
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dropbox_standin import hooks, knobs, people, seeds, watching
from dropbox_standin.faults import KINDS, Fault
from dropbox_standin.inputs import NotUnderstood, fields_of, number, text
from dropbox_standin.limits import STYLES, RateLimit
from dropbox_standin.names import split

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from dropbox_standin.stage import Stage
    from dropbox_standin.tree import Namespace
    from dropbox_standin.world import World

type Body = dict[str, Any]
type Action = Callable[[Stage, Request, Body], Any]


def routes(stage: Stage) -> list[Route]:
    """The control API of one stage."""
    return [
        Route(path, functools.partial(_run, stage, action), methods=[method])
        for method, path, action in (*ACTIONS, *people.ACTIONS, *knobs.ACTIONS, *watching.ACTIONS, *hooks.ACTIONS)
    ]


async def _run(stage: Stage, action: Action, request: Request) -> Response:
    """Run one action; what it cannot understand becomes a 400 with one sentence, and changes nothing."""
    try:
        result = action(stage, request, await _body(request))
        return JSONResponse(await result if inspect.isawaitable(result) else result)
    except (NotUnderstood, seeds.BadSeed) as error:
        return JSONResponse({"error": str(error)}, 400)


async def _body(request: Request) -> Body:
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = await request.json()
    except ValueError:
        raise NotUnderstood("the body must be JSON") from None
    if not isinstance(body, dict):
        raise NotUnderstood("the body must be a JSON object")
    return body


def overview(stage: Stage, _request: Request, _body: Body) -> Body:
    world = stage.world
    return {
        "base_url": stage.public_url,
        "seed": stage.seed,
        "settings": _settings(world),
        "clock": world.clock.now().isoformat(),
        "accounts": sorted(world.accounts),
        "teams": sorted(world.teams),
    }


def reset(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "seed")
    seed = body.get("seed")
    if not (isinstance(seed, dict) or seed in {None, "empty", "demo", stage.seed}):
        raise NotUnderstood(
            'seed is "empty", "demo", an object with team, home, policies, sights and crowds, or left out'
        )
    stage.reset(seed)
    return {"accounts": sorted(stage.world.accounts)}


def put(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "entries", "home", "team")
    namespace = _space(stage.world, body)
    count = seeds.put_entries(namespace, _list(body, "entries"))
    stage.world.tell(namespace)
    return {"put": count}


def delete(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "paths", "home", "team")
    namespace = _space(stage.world, body)
    paths = [text(path, "a path") for path in _list(body, "paths")]
    nodes = [namespace.find(split(path)) for path in paths]
    for path, node in zip(paths, nodes, strict=True):
        if node is None or node.parent is None:
            raise NotUnderstood(f"there is nothing to delete at {path!r}")
    for node in nodes:
        if node is not None and namespace.by_id.get(node.id) is node:
            namespace.remove(node)
    stage.world.tell(namespace)
    return {"deleted": len(paths)}


def list_tree(stage: Stage, request: Request, _body: Body) -> Body:
    """Every path, folders with a slash at their end: what a seed would hold."""
    namespace = _space(stage.world, dict(request.query_params))
    nodes = namespace.root.walk()
    return {"paths": ["/" + "/".join(node.names()) + ("/" if hasattr(node, "children") else "") for node in nodes]}


def order_fault(stage: Stage, _request: Request, body: Body) -> Body:
    faults = [_fault(given) for given in (_list(body, "faults") if "faults" in body else [body])]
    stage.world.faults.queue.extend(faults)
    return {"waiting": len(stage.world.faults.queue)}


def list_faults(stage: Stage, _request: Request, _body: Body) -> Body:
    return {"faults": [asdict(fault) for fault in stage.world.faults.queue]}


def clear_faults(stage: Stage, _request: Request, _body: Body) -> Body:
    stage.world.faults.queue.clear()
    return {"waiting": 0}


def add_policy(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "outcome", "account", "path")
    if (name := body.get("account")) is not None:
        body = {**body, "account": people.account(stage.world, name).key}
    policy = seeds.policy(body)
    stage.world.links.policies.append(policy)
    return asdict(policy)


def list_policies(stage: Stage, _request: Request, _body: Body) -> Body:
    return {"policies": [asdict(policy) for policy in stage.world.links.policies]}


def clear_policies(stage: Stage, _request: Request, _body: Body) -> Body:
    stage.world.links.policies.clear()
    return {"policies": []}


def change_settings(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(
        body,
        "latency_ms",
        "page_size",
        "empty_pages",
        "longpoll_cap_s",
        "embed_existing",
        "rate_limit",
        "payload_bytes",
    )
    settings, world = stage.world.settings, stage.world
    rate_limit = _rate_limit(body["rate_limit"]) if body.get("rate_limit") else None
    latency_ms = number(body.get("latency_ms", 0), "latency_ms", least=0)
    page_size = int(number(body.get("page_size", 1), "page_size", least=1))
    empty_pages = int(number(body.get("empty_pages", 0), "empty_pages", least=0))
    payload_bytes = int(number(body.get("payload_bytes", settings.payload_bytes), "payload_bytes", least=0))
    settings.payload_bytes = payload_bytes
    settings.latency_s = latency_ms / 1000 if "latency_ms" in body else settings.latency_s
    settings.page_size = page_size if "page_size" in body else settings.page_size
    settings.empty_pages = empty_pages if "empty_pages" in body else settings.empty_pages
    if "longpoll_cap_s" in body:
        cap = body["longpoll_cap_s"]
        world.longpolls.cap_s = None if cap is None else number(cap, "longpoll_cap_s", least=0)
    world.links.embed_existing = bool(body.get("embed_existing", world.links.embed_existing))
    world.rate_limit = rate_limit if "rate_limit" in body else world.rate_limit
    return _settings(world)


def advance_clock(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "advance_s")
    stage.world.clock.advance(number(body.get("advance_s"), "advance_s", least=0))
    stage.world.webhooks.wake()
    return {"clock": stage.world.clock.now().isoformat()}


def read_journal(stage: Stage, request: Request, _body: Body) -> Body:
    query = request.query_params
    after = int(number(query.get("after", "0"), "after", least=0))
    return {"calls": stage.world.journal.select(route=query.get("route"), path=query.get("path"), after=after)}


def clear_journal(stage: Stage, _request: Request, _body: Body) -> Body:
    stage.world.journal.clear()
    return {"calls": []}


def count_calls(stage: Stage, _request: Request, _body: Body) -> Body:
    return dict(stage.world.journal.counts)


def _space(world: World, body: Body) -> Namespace:
    """The tree that is meant: a person's home, or a team's space, which is the default."""
    if body.get("home") is not None:
        return people.account(world, body["home"]).home
    return people.team(world, body.get("team") or seeds.TEAM).space


def _fault(given: Any) -> Fault:
    if not isinstance(given, dict):
        raise NotUnderstood("a fault is a JSON object")
    fields_of(given, *Fault.__dataclass_fields__)
    fault = Fault(**{"route": "", **given, "headers": given.get("headers") or {}})
    if not isinstance(fault.route, str) or not fault.route:
        raise NotUnderstood('a fault needs a route, such as "files/list_folder", or "*" for all')
    if fault.kind not in KINDS:
        raise NotUnderstood(f"a fault's kind is one of {', '.join(KINDS)}, not {fault.kind!r}")
    _check_bytes(fault.body_base64)
    fault.times = int(number(fault.times, "times", least=1))
    fault.delay_s = number(fault.delay_s, "delay_s", least=0)
    fault.interval_s = number(fault.interval_s, "interval_s", least=0)
    if fault.status is not None:
        fault.status = int(number(fault.status, "status", least=200))
    return fault


def _check_bytes(given: Any) -> None:
    try:
        base64.b64decode(given or "", validate=True)
    except (ValueError, TypeError):
        raise NotUnderstood("body_base64 must be bytes in base64") from None


def _rate_limit(given: Any) -> RateLimit:
    if not isinstance(given, dict):
        raise NotUnderstood("rate_limit is an object with per_second, burst and style, or null")
    fields_of(given, "per_second", "burst", "style")
    style = given.get("style", "json")
    if style not in STYLES:
        raise NotUnderstood(f"the style of a rate limit is one of {', '.join(STYLES)}, not {style!r}")
    per_second = number(given.get("per_second"), "per_second", least=0.001)
    return RateLimit(per_second, int(number(given.get("burst", 1), "burst", least=1)), style)


def _settings(world: World) -> Body:
    settings, limit = world.settings, world.rate_limit
    return {
        "latency_ms": settings.latency_s * 1000,
        "page_size": settings.page_size,
        "empty_pages": settings.empty_pages,
        "longpoll_cap_s": world.longpolls.cap_s,
        "payload_bytes": settings.payload_bytes,
        "embed_existing": world.links.embed_existing,
        "rate_limit": limit and {"per_second": limit.per_second, "burst": limit.burst, "style": limit.style},
    }


def _list(body: Body, name: str) -> list[Any]:
    value = body.get(name)
    if not isinstance(value, list):
        raise NotUnderstood(f"{name} must be a list")
    return value


ACTIONS: tuple[tuple[str, str, Action], ...] = (
    ("GET", "/", overview),
    ("POST", "/reset", reset),
    ("POST", "/put", put),
    ("POST", "/delete", delete),
    ("GET", "/tree", list_tree),
    ("POST", "/faults", order_fault),
    ("GET", "/faults", list_faults),
    ("DELETE", "/faults", clear_faults),
    ("POST", "/policies", add_policy),
    ("GET", "/policies", list_policies),
    ("DELETE", "/policies", clear_policies),
    ("POST", "/settings", change_settings),
    ("POST", "/clock", advance_clock),
    ("GET", "/journal", read_journal),
    ("DELETE", "/journal", clear_journal),
    ("GET", "/calls", count_calls),
)
