"""The part of the control API that is about webhooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dropbox_standin import people, seeds
from dropbox_standin.inputs import NotUnderstood, fields_of, text
from dropbox_standin.webhooks import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

    from dropbox_standin.stage import Stage

type Body = dict[str, Any]


async def set_webhook(stage: Stage, _request: Request, body: Body) -> Body:
    """Take an address that answers the challenge, as the app's console does; without `verify`, any."""
    fields_of(body, "url", "every_change", "secret", "verify")
    url, secret = text(body.get("url"), "url"), text(body.get("secret", seeds.APP_SECRET), "secret")
    if not is_loopback(url):
        raise NotUnderstood("a webhook goes to a loopback address only, such as http://127.0.0.1:8000/webhook")
    webhooks = stage.world.webhooks
    if body.get("verify", True) and (problem := await webhooks.verify(url)) is not None:
        raise NotUnderstood(problem)
    webhooks.url, webhooks.every_change, webhooks.secret = url, bool(body.get("every_change", True)), secret
    return webhooks.describe()


def show_webhook(stage: Stage, _request: Request, _body: Body) -> Body:
    return stage.world.webhooks.describe()


def unset_webhook(stage: Stage, _request: Request, _body: Body) -> Body:
    stage.world.webhooks.url = None
    return stage.world.webhooks.describe()


async def send_webhook(stage: Stage, _request: Request, body: Body) -> Body:
    """Send one notification now, about the accounts named, or about all that are connected to the app."""
    fields_of(body, "accounts")
    webhooks, names = stage.world.webhooks, body.get("accounts", list(stage.world.accounts))
    if not isinstance(names, list):
        raise NotUnderstood("accounts must be a list")
    text(webhooks.url, "the webhook's url (POST /standin/webhooks)")
    chosen = webhooks.connected([people.account(stage.world, name) for name in names])
    if not chosen:
        raise NotUnderstood("none of these accounts is connected to the app, so there is nothing to send")
    return asdict(await webhooks.send(chosen))


ACTIONS = (
    ("POST", "/webhooks", set_webhook),
    ("GET", "/webhooks", show_webhook),
    ("DELETE", "/webhooks", unset_webhook),
    ("POST", "/webhooks/send", send_webhook),
)
