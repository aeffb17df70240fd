"""The part of the control API that is about what clients watch: cursors, and trees too large to put by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import crowds, people, seeds
from dropbox_standin.cursors import WATCHED_FOLDER
from dropbox_standin.inputs import NotUnderstood, fields_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from dropbox_standin.stage import Stage

type Body = dict[str, Any]


def set_cursors(stage: Stage, request: Request, body: Body) -> Body:
    """What becomes of cursors whose own folder is renamed or removed, and whether deltas are told twice."""
    fields_of(body, "watched_folder", "repeat_deltas")
    settings = stage.world.settings
    chosen = body.get("watched_folder", settings.watched_folder)
    if chosen not in WATCHED_FOLDER:
        raise NotUnderstood(f"watched_folder is one of {', '.join(WATCHED_FOLDER)}, not {chosen!r}")
    settings.watched_folder = chosen
    settings.repeat_deltas = bool(body.get("repeat_deltas", settings.repeat_deltas))
    return show_cursors(stage, request, {})


def show_cursors(stage: Stage, _request: Request, _body: Body) -> Body:
    settings = stage.world.settings
    kept = len(stage.world.cursors.kept)
    return {"watched_folder": settings.watched_folder, "repeat_deltas": settings.repeat_deltas, "cursors": kept}


def reset_cursors(stage: Stage, request: Request, body: Body) -> Body:
    """Let all cursors, or those of one account, answer `reset`."""
    fields_of(body, "account")
    chosen = people.account(stage.world, body["account"]).account_id if body.get("account") is not None else None
    stage.world.cursors.forget(account_id=chosen)
    return show_cursors(stage, request, {})


def put_crowd(stage: Stage, _request: Request, body: Body) -> Body:
    """Very many archives at once, in a team's space or somebody's home."""
    crowd = crowds.read({name: value for name, value in body.items() if name not in {"home", "team"}})
    if body.get("home") is not None:
        namespace = people.account(stage.world, body["home"]).home
    else:
        namespace = people.team(stage.world, body.get("team") or seeds.TEAM).space
    count = crowds.put(namespace, crowd)
    stage.world.tell(namespace)
    return {"put": count}


ACTIONS = (
    ("POST", "/cursors", set_cursors),
    ("GET", "/cursors", show_cursors),
    ("POST", "/cursors/reset", reset_cursors),
    ("POST", "/crowd", put_crowd),
)
