"""The real Dropbox SDK, pointed at the stand-in, with every answer decoded a second time and strictly."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from dropbox import Dropbox, auth, check, common, files, sharing, users
from dropbox.common import PathRoot
from dropbox.oauth import DropboxOAuth2Flow
from requests.adapters import HTTPAdapter
from stone.backends.python_rsrc import stone_serializers

from dropbox_standin.client import AccountInfo, Standin

HOSTS = ("api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com", "www.dropbox.com")
APP = {"app_key": "standin-app", "app_secret": "standin-secret"}
ROUTES = {
    f"{namespace}/{name}".replace(":2", "_v2"): route
    for namespace, module in (
        ("files", files),
        ("sharing", sharing),
        ("users", users),
        ("check", check),
        ("auth", auth),
    )
    for name, route in module.ROUTES.items()
}
ERRORS = {401: auth.AuthError_validator, 422: common.PathRootError_validator, 429: auth.RateLimitError_validator}


class ToStandin(HTTPAdapter):
    """Swaps scheme and authority, so that the SDK runs unmodified over plain http."""

    def __init__(self, base_url: str) -> None:
        super().__init__(pool_maxsize=16)
        self.base = urlsplit(base_url)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        request.url = url._replace(scheme=self.base.scheme, netloc=self.base.netloc).geturl()
        return super().send(request, *args, **options)


def session_for(base_url: str, *, strict: bool = True) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    for host in HOSTS:
        session.mount(f"https://{host}", ToStandin(base_url))
    if strict:
        session.hooks["response"] = [decode_strictly]
    return session


def sdk(standin: Standin, name: str = "olivia", *, strict: bool = True, **options: Any) -> Dropbox:
    """A client that has an access token and does nothing by itself: no retries, no refresh."""
    return Dropbox(
        oauth2_access_token=standin.issue_tokens(name).access_token,
        session=session_for(standin.base_url, strict=strict),
        max_retries_on_error=0,
        max_retries_on_rate_limit=0,
        timeout=20,
        **options,
    )


def at_root(client: Dropbox, account: AccountInfo) -> Dropbox:
    """The same client under the team's root."""
    return client.with_path_root(PathRoot.root(account.root_namespace_id))


def flow_for(standin: Standin, browser_session: dict[str, str], **options: Any) -> DropboxOAuth2Flow:
    options.setdefault("consumer_secret", None if options.get("use_pkce") else "standin-secret")
    flow = DropboxOAuth2Flow(
        consumer_key="standin-app",
        redirect_uri="http://127.0.0.1:8000/callback",
        session=browser_session,
        csrf_token_session_key="csrf",
        token_access_type="offline",
        **options,
    )
    flow.requests_session = session_for(standin.base_url)
    return flow


def raw_call(standin: Standin, route: str, **options: Any) -> requests.Response:
    """A call made by hand, for what the SDK would not send."""
    token = standin.issue_tokens(options.pop("account", "olivia")).access_token
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    url = f"{standin.base_url}/2/{route}"
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, headers={k: v for k, v in headers.items() if v is not None}, timeout=20, **options)


def decode_strictly(response: requests.Response, **_: Any) -> None:
    """Fail on anything that the specification does not have: unknown fields, missing ones, wrong types."""
    route = ROUTES.get(urlsplit(response.url).path.removeprefix("/2/"))
    if route is None or not response.headers["Content-Type"].startswith("application/json"):
        return
    value = response.json()
    if response.status_code == 200:
        decode(route.result_type, value)
    elif response.status_code == 409:
        decode(route.error_type, value["error"])
    elif response.status_code in ERRORS:
        decode(ERRORS[response.status_code], value["error"])


def decode(validator: Any, value: Any) -> Any:
    return stone_serializers.json_compat_obj_decode(validator, value, strict=True)  # type: ignore[no-untyped-call]


def eventually(holds: Callable[[], bool], *, within_s: float = 10) -> None:
    """Wait until something holds that another process brings about by itself."""
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "it never came to hold"
        time.sleep(0.01)


def tags(error: Any) -> str:
    """The tags of an error from the outside in; an upload's reason counts as what is inside."""
    inner = getattr(error._value, "reason", error._value)
    return f"{error._tag}/{tags(inner)}" if hasattr(inner, "_tag") else str(error._tag)
