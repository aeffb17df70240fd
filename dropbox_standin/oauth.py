"""OAuth 2: the consent page and the token endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
import urllib.parse
from typing import TYPE_CHECKING

from dropbox_standin import exchange, pages
from dropbox_standin.tokens import ACCESS_TOKEN_S, CODE_S, SCOPES, AccessToken, App, Code, Grant
from dropbox_standin.wire import HTML, Answer, answer_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from dropbox_standin.world import World

AUTHORIZE_FIELDS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "token_access_type",
    "scope",
    "code_challenge",
    "code_challenge_method",
)


class OAuthError(Exception):
    """A 400 of the token endpoint."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Unauthorizable(Exception):
    """The authorization request itself is wrong, so that there is nowhere to send the browser back to."""


# The consent page


async def show_consent(world: World, request: Request) -> Response:
    """Ask who is there and whether the app may."""
    asked = _asked(request.query_params)

    async def work() -> Answer:
        try:
            _check_authorization(world, asked)
        except Unauthorizable as error:
            return pages.answer_page(pages.problem("This app cannot be connected", str(error)), status=400)
        scopes = sorted(_scopes(asked))
        return pages.answer_page(pages.consent(list(world.accounts.values()), scopes, asked))

    entry = exchange.begin(world, "oauth2/authorize")
    entry.note_args(asked)
    return await exchange.exchange(world, entry, work)


async def answer_consent(world: World, request: Request) -> Response:
    """What the buttons of the consent page do."""
    form = _form(await request.body())
    asked = _asked(form)

    async def work() -> Answer:
        try:
            _check_authorization(world, asked)
        except Unauthorizable as error:
            return pages.answer_page(pages.problem("This app cannot be connected", str(error)), status=400)
        return _decide(world, form, asked)

    entry = exchange.begin(world, "oauth2/authorize")
    entry.note_args(asked)
    return await exchange.exchange(world, entry, work)


def _decide(world: World, form: Mapping[str, str], asked: Mapping[str, str]) -> Answer:
    account = world.accounts.get(form.get("account", ""))
    if form.get("decision") != "allow":
        denial = {"error": "access_denied", "error_description": "The user chose not to give your app access"}
        return _send_back(asked, denial)
    if account is None:
        return pages.answer_page(pages.problem("Nobody was chosen", "Go back and choose an account."), status=400)
    code = Code(
        value=world.tokens.random(43),
        app=world.tokens.apps[asked["client_id"]],
        account=account,
        scopes=_scopes(asked),
        offline=asked.get("token_access_type") == "offline",
        redirect_uri=asked.get("redirect_uri"),
        challenge=asked.get("code_challenge"),
        challenge_method=asked.get("code_challenge_method", "plain"),
        expires_at=world.clock.time() + CODE_S,
    )
    world.tokens.codes[code.value] = code
    return _send_back(asked, {"code": code.value})


def _asked(params: Mapping[str, str]) -> dict[str, str]:
    return {name: params[name] for name in AUTHORIZE_FIELDS if params.get(name)}


def _check_authorization(world: World, asked: Mapping[str, str]) -> None:
    if asked.get("client_id") not in world.tokens.apps:
        raise Unauthorizable('Invalid client_id: no app has this key. The app of the stand-in is "standin-app".')
    if asked.get("response_type") != "code":
        raise Unauthorizable('Invalid response_type: only "code" is served here.')
    if asked.get("code_challenge_method", "S256") not in {"S256", "plain"}:
        raise Unauthorizable("Invalid code_challenge_method: must be S256 or plain.")
    unknown = _scopes(asked) - SCOPES
    if unknown:
        raise Unauthorizable(f"Invalid scope: {', '.join(sorted(unknown))} is not known.")


def _scopes(asked: Mapping[str, str]) -> frozenset[str]:
    return frozenset(asked.get("scope", "").split()) or SCOPES


def _send_back(asked: Mapping[str, str], result: Mapping[str, str]) -> Answer:
    """To the app's redirect URI, or without one to a page that shows the code."""
    if "redirect_uri" not in asked:
        return pages.answer_page(pages.code(result.get("code")))
    state = {"state": asked["state"]} if "state" in asked else {}
    parts = urllib.parse.urlsplit(asked["redirect_uri"])
    query = "&".join(part for part in (parts.query, urllib.parse.urlencode({**result, **state})) if part)
    return Answer(b"", 302, HTML, {"Location": urllib.parse.urlunsplit(parts._replace(query=query))})


# The token endpoint


async def token(world: World, request: Request) -> Response:
    """`/oauth2/token`, and `/1/oauth2/token` as older clients call it; Dropbox's JavaScript SDK puts all in the URL."""
    form = {**request.query_params, **_form(await request.body())}

    async def work() -> Answer:
        try:
            return _grant(world, form, request.headers.get("authorization"))
        except OAuthError as error:
            return answer_json({"error": error.error, "error_description": error.description}, status=400)

    entry = exchange.begin(world, "oauth2/token")
    entry.note_args(form)
    known = world.tokens.grant_for(form.get("refresh_token", ""))
    entry.account_id = known.account.account_id if known else None
    return await exchange.exchange(world, entry, work)


def _grant(world: World, form: Mapping[str, str], authorization: str | None) -> Answer:
    app, has_secret = _client(world, form, authorization)
    match form.get("grant_type"):
        case "authorization_code":
            return _exchange_code(world, form, app, has_secret=has_secret)
        case "refresh_token":
            return _refresh(world, form, app, has_secret=has_secret)
        case None:
            raise OAuthError("invalid_request", 'missing required field "grant_type"')
        case _:
            raise OAuthError("unsupported_grant_type", "grant type is unsupported")


def _client(world: World, form: Mapping[str, str], authorization: str | None) -> tuple[App, bool]:
    """The app that asks, and whether it has shown its secret: in the form or by Basic authentication."""
    key, secret = form.get("client_id", ""), form.get("client_secret")
    if authorization and authorization.lower().startswith("basic "):
        key, secret = _basic(authorization)
    app = world.tokens.apps.get(key)
    if app is None or (secret is not None and not hmac.compare_digest(secret.encode(), app.secret.encode())):
        raise OAuthError("invalid_client", "Invalid client_id or client_secret")
    return app, secret is not None


def _basic(authorization: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(authorization.partition(" ")[2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "Invalid client_id or client_secret") from None
    key, _, secret = decoded.partition(":")
    return urllib.parse.unquote(key), urllib.parse.unquote(secret)


def _exchange_code(world: World, form: Mapping[str, str], app: App, *, has_secret: bool) -> Answer:
    code = world.tokens.codes.pop(form.get("code", ""), None)  # a code is good for one try
    if code is None or code.app != app or world.clock.time() >= code.expires_at:
        raise OAuthError("invalid_grant", "code doesn't exist or has expired")
    if code.redirect_uri != form.get("redirect_uri"):
        raise OAuthError("invalid_grant", "redirect_uri mismatch")
    verifier = form.get("code_verifier")
    if (code.challenge is not None or verifier is not None) and not code.verified_by(verifier or ""):
        raise OAuthError("invalid_grant", "invalid code verifier")
    if code.challenge is None and not has_secret:
        raise OAuthError("invalid_client", "Invalid client_id or client_secret")
    grant = world.tokens.add_grant(
        app=app,
        account=code.account,
        scopes=code.scopes,
        refresh_token=world.tokens.random(64) if code.offline else None,
        by_pkce=code.challenge is not None,
    )
    account = code.account
    refresh = {"refresh_token": grant.refresh_token} if grant.refresh_token else {}
    identity = {"uid": str(account.uid), "account_id": account.account_id}
    return answer_json({**_bearer(world.tokens.issue(grant)), **refresh, **identity})


def _refresh(world: World, form: Mapping[str, str], app: App, *, has_secret: bool) -> Answer:
    grant = world.tokens.grant_for(form.get("refresh_token", ""))
    if grant is None or grant.app != app:
        raise OAuthError("invalid_grant", "refresh token is invalid or revoked")
    if not (has_secret or grant.by_pkce):
        raise OAuthError("invalid_client", "Invalid client_id or client_secret")
    return answer_json(_bearer(world.tokens.issue(grant, scopes=_narrowed(grant, form.get("scope")))))


def _narrowed(grant: Grant, scope: str | None) -> frozenset[str]:
    asked = frozenset(scope.split()) if scope else grant.scopes
    if not asked <= grant.scopes:
        raise OAuthError("invalid_scope", f"not granted: {' '.join(sorted(asked - grant.scopes))}")
    return asked


def _bearer(access: AccessToken) -> dict[str, object]:
    return {
        "access_token": access.value,
        "token_type": "bearer",
        "expires_in": ACCESS_TOKEN_S,
        "scope": " ".join(sorted(access.scopes)),
    }


def _form(body: bytes) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
