"""The routes about the caller: `users/`, `check/` and `auth/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import AppRoute, Call, Route
from dropbox_standin.wire import Answer, answer_json

if TYPE_CHECKING:
    from dropbox_standin.tokens import App


def get_current_account(call: Call) -> Answer:
    return answer_json(call.account.full())


def get_space_usage(call: Call) -> Answer:
    files = (node for space in call.account.namespaces for node in space.by_id.values())
    used = sum(len(getattr(node, "content", b"")) for node in files)
    return answer_json({"used": used, "allocation": {".tag": "individual", "allocated": 2**41}})


def check_user(call: Call) -> Answer:
    return answer_json({"result": call.args["query"]})


def check_app(_app: App, arguments: dict[str, Any]) -> Answer:
    return answer_json({"result": arguments["query"]})


def revoke_token(call: Call) -> Answer:
    """The token dies, and with it the refresh token and the siblings it came with."""
    call.token.grant.revoked = True
    return answer_json(None)


ECHO_FIELDS = {"query": args.string(default="", most=500)}

ROUTES = (
    Route("users/get_current_account", get_current_account, {}, "account_info.read"),
    Route("users/get_space_usage", get_space_usage, {}, "account_info.read"),
    Route("check/user", check_user, ECHO_FIELDS, "account_info.read"),
    AppRoute("check/app", check_app, ECHO_FIELDS),
    Route("auth/token/revoke", revoke_token, {}, None),
)
