"""A client of the control API, for tests, demo and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

TIMEOUT_S = 30
CROWD_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call in the journal.

    Attributes:
        path: the path argument; for `list_folder/continue` the path of the listing that the cursor belongs to.
        args: the argument without anything secret.
        status: None when the connection ended without an answer.
        fault: the kind of the fault that hit the call, if one did.
        duration_s: from the request's arrival to the start of its answer, latency included.
    """

    seq: int
    at: str
    monotonic_s: float
    route: str
    account_id: str | None
    path: str | None
    args: Mapping[str, Any]
    path_root: str | None
    status: int | None
    request_id: str
    fault: str | None
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInfo:
    """One account; `refresh_token` is None once it has been revoked."""

    name: str
    account_id: str
    display_name: str
    email: str
    team: str | None
    root_namespace_id: str
    home_namespace_id: str
    home_path: str
    suspended: bool
    email_verified: bool
    admin: bool
    refresh_token: str | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    access_token: str
    refresh_token: str
    expires_in: int


class StandinError(Exception):
    """The control API refused; the text says why."""


class Standin:
    """A running stand-in, under control. Threads may share it."""

    def __init__(self, base_url: str, *, ca: Path | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca) if ca else True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    # The world

    def overview(self) -> dict[str, Any]:
        """Address, seed, settings, clock, accounts and teams."""
        return self._get("")

    def reset(self, *, seed: str | Mapping[str, Any] | None = "empty") -> None:
        """Begin again: tree, tokens, links, faults, journal, clock and settings. None: the seed of the start."""
        self._post("reset", **({} if seed is None else {"seed": seed}))

    def put(
        self,
        *entries: str | Mapping[str, Any],
        content: str | None = None,
        home: str | None = None,
        team: str | None = None,
    ) -> None:
        """Put files, and folders where a path ends in a slash, into the team space or into somebody's home.

        All of them go in one request. `content` is that of every file here; a mapping has `path` and `content`.
        """
        whole = entries if content is None else tuple(_with_content(entry, content) for entry in entries)
        self._post("put", entries=list(whole), home=home, team=team)

    def crowd(
        self, path: str, *, archives: int, files: int, home: str | None = None, team: str | None = None, **more: Any
    ) -> int:
        """Put very many archives of the same kind into a folder; returns how many entries were made.

        Further: prefix (`NMNM`), report_every (3; 0 for no reports). A million entries take some ten seconds.
        """
        crowd = {"path": path, "archives": archives, "files": files, **more}
        answer = self._request("POST", "crowd", json={**crowd, "home": home, "team": team}, timeout=CROWD_TIMEOUT_S)
        return int(answer["put"])

    def delete(self, *paths: str, home: str | None = None, team: str | None = None) -> None:
        self._post("delete", paths=list(paths), home=home, team=team)

    def tree(self, *, home: str | None = None) -> tuple[str, ...]:
        """Every path of the team space or of a home; folders end in a slash."""
        return tuple(self._get("tree", **({"home": home} if home else {}))["paths"])

    # People

    def account(self, name: str) -> AccountInfo:
        return _account(self._get(f"accounts/{name}"))

    def create_account(self, name: str, **fields: Any) -> AccountInfo:
        """Fields: display_name, email, team, basic, email_verified, admin. The refresh token is `standin-refresh-<name>`."""
        return _account(self._post("accounts", name=name, **fields))

    def suspend(self, name: str, *, suspended: bool = True) -> None:
        self._post(f"accounts/{name}/suspend", suspended=suspended)

    def scopes(self, name: str, scopes: Iterable[str]) -> None:
        """What all tokens of the account allow from now on, those already issued and those to come."""
        self._post(f"accounts/{name}/scopes", scopes=list(scopes))

    def issue_tokens(self, name: str, *, scopes: Iterable[str] | None = None) -> TokenPair:
        """A new grant, as the consent page would make it."""
        chosen = {} if scopes is None else {"scopes": list(scopes)}
        return TokenPair(**self._post(f"accounts/{name}/tokens", **chosen))

    def expire_tokens(self, name: str) -> None:
        """All access tokens of the account are past their time; they can be refreshed."""
        self._post(f"accounts/{name}/expire")

    def revoke(self, name: str) -> None:
        """The person has disconnected the app: access and refresh tokens are worth nothing."""
        self._post(f"accounts/{name}/revoke")

    def sight(self, name: str, path: str, sight: str) -> None:
        """How much an account may see of a folder of its team: full, read_only, traverse_only, no_access or none."""
        self._post("sights", account=name, path=path, sight=sight)

    def clear_sights(self) -> None:
        """Everybody sees everything of their team again."""
        self._delete("sights")

    def top_level(self, policy: str, *, team: str = "team") -> None:
        """Who may write at the top of a team's space: admin_only or everyone."""
        self._post(f"teams/{team}/top_level", policy=policy)

    def migrate_root(self, team: str = "team") -> str:
        """Give the team space another root namespace; returns its id."""
        return str(self._post(f"teams/{team}/migrate_root")["root_namespace_id"])

    def create_app(self, *, key: str, secret: str) -> None:
        self._post("apps", key=key, secret=secret)

    # How it behaves

    def fault(
        self,
        route: str,
        *,
        status: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        path: str | None = None,
        kind: str | None = None,
        **more: Any,
    ) -> None:
        """Let the next `times` calls of a route go wrong; see `faults.Fault` for kinds and further properties."""
        chosen = kind or ("delay" if "delay_s" in more and status is None and body is None else "status")
        given = {"status": status, "body": body, "headers": dict(headers or {}), "path": path, **more}
        self._post("faults", route=route, times=times, kind=chosen, **given)

    def clear_faults(self) -> None:
        self._delete("faults")

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are still waiting."""
        return list(self._get("faults")["faults"])

    def policy(self, outcome: str, *, account: str | None = None, path: str | None = None) -> None:
        """What becomes of links asked for by an account (or all), at a path and beneath (or everywhere).

        Outcomes: access_denied, not_authorized, invalid_settings, email_not_verified, banned_member,
        too_many_shared_folders, team_only, allow. The latest policy that covers a call decides.
        """
        self._post("policies", outcome=outcome, account=account, path=path)

    def clear_policies(self) -> None:
        self._delete("policies")

    def latency(self, ms: float) -> None:
        self._post("settings", latency_ms=ms)

    def page_size(self, entries: int) -> None:
        self._post("settings", page_size=entries)

    def empty_pages(self, pages: int) -> None:
        """How many pages without entries, but with `has_more`, come before each listing."""
        self._post("settings", empty_pages=pages)

    def embed_existing(self, *, on: bool) -> None:
        """Whether `shared_link_already_exists` brings the existing link along."""
        self._post("settings", embed_existing=on)

    def longpoll_cap(self, seconds: float | None) -> None:
        """Let longpolls end after this time, whatever they asked for."""
        self._post("settings", longpoll_cap_s=seconds)

    def longpolls(self, *, jitter_s: float = 0, backoff_s: int | None = None, vague: bool = False) -> None:
        """Let longpolls wait longer, ask for a pause, or wake for any change that the account could see."""
        self._post("longpolls", jitter_s=jitter_s, backoff_s=backoff_s, vague=vague)

    def search(self, *, index_delay_s: float | None = None, duplicates: bool = False, omit_every: int = 0) -> None:
        """Let the index lag behind, pages overlap by one match, and every n-th match be missing."""
        delay = {} if index_delay_s is None else {"index_delay_s": index_delay_s}
        self._post("search", duplicates=duplicates, omit_every=omit_every, **delay)

    def rate_limit(self, per_second: float | None, *, burst: int = 1, style: str = "json") -> None:
        """A token bucket for each account; None takes it away. Style: json, header or text; see `limits.STYLES`."""
        limit = None if per_second is None else {"per_second": per_second, "burst": burst, "style": style}
        self._post("settings", rate_limit=limit)

    def payload_cap(self, most_bytes: int) -> None:
        """The most that one upload may carry; 150 MiB unless told otherwise."""
        self._post("settings", payload_bytes=most_bytes)

    def refuse_writes(
        self, reason: str, *, path: str | None = None, account: str | None = None, times: int = 1
    ) -> None:
        """Let the next `times` writes to a path fail for a reason of the specification's `WriteError`."""
        self._post("refusals", reason=reason, path=path, account=account, times=times)

    def refuse_beneath_fresh(self, seconds: float, *, reason: str = "no_write_permission") -> None:
        """Let nothing be made beneath a folder of the team's space that is younger than this."""
        self._post("refusals", fresh_parent_s=seconds, reason=reason)

    def accept_writes(self) -> None:
        """Take back what was ordered to be refused."""
        self._delete("refusals")

    def jobs(self, *, async_above: int = 100, checks: int = 1, late: bool = False) -> None:
        """Batches above a size are jobs, in progress for some checks; `late`: the work is done with the last check."""
        self._post("jobs", async_above=async_above, checks=checks, late=late)

    def advance_clock(self, seconds: float) -> None:
        """Let that much time have passed: tokens and links expire."""
        self._post("clock", advance_s=seconds)

    def reset_cursors(self, account: str | None = None) -> None:
        """Let every cursor handed out so far, or every one of an account, answer `reset`."""
        self._post("cursors/reset", account=account)

    def watched_folder(self, outcome: str) -> None:
        """What a cursor does whose own folder was renamed: follow, not_found or reset; removed, it cannot follow."""
        self._post("cursors", watched_folder=outcome)

    def repeat_deltas(self, *, on: bool) -> None:
        """Let each delta be told twice, as a cursor may that was handed out a little too early."""
        self._post("cursors", repeat_deltas=on)

    # What was called

    def journal(self, route: str | None = None, path: str | None = None, *, after: int = 0) -> tuple[Call, ...]:
        """The calls so far, by arrival; of one route, of one path (a trailing `*` is open), after one `seq`."""
        query = {"route": route, "path": path, "after": after}
        return tuple(Call(**entry) for entry in self._get("journal", **query)["calls"])

    def calls(self) -> dict[str, int]:
        """How often each route was called since the journal was cleared."""
        return {str(route): int(count) for route, count in self._get("calls").items()}

    def clear_journal(self) -> None:
        self._delete("journal")

    # Webhooks

    def webhook(
        self,
        url: str,
        *,
        every_change: bool = True,
        secret: str = "standin-secret",  # noqa: S107
        verify: bool = True,
    ) -> None:
        """Where notifications go; the address has to answer a challenge first, unless `verify` is off."""
        self._post("webhooks", url=url, every_change=every_change, secret=secret, verify=verify)

    def send_webhook(self, *accounts: str) -> dict[str, Any]:
        """Notify now, about these accounts or about all; returns what the receiver answered."""
        return self._post("webhooks/send", **({"accounts": list(accounts)} if accounts else {}))

    def remove_webhook(self) -> None:
        self._delete("webhooks")

    def webhook_owed(self) -> int:
        """How many notifications are still to be sent again."""
        return int(self._get("webhooks")["owed"])

    def webhook_deliveries(self) -> list[dict[str, Any]]:
        return list(self._get("webhooks")["deliveries"])

    def _get(self, where: str, **query: Any) -> dict[str, Any]:
        return self._request("GET", where, params=query)

    def _post(self, where: str, **body: Any) -> dict[str, Any]:
        return self._request("POST", where, json=body)

    def _delete(self, where: str) -> dict[str, Any]:
        return self._request("DELETE", where)

    def _request(self, method: str, where: str, **options: Any) -> dict[str, Any]:
        options.setdefault("timeout", TIMEOUT_S)
        response = self._session.request(method, f"{self.base_url}/standin/{where}", **options)
        if not response.ok:
            raise StandinError(_reason(response))
        answer: dict[str, Any] = response.json()
        return answer


def _reason(response: requests.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.reason}"


def _with_content(entry: str | Mapping[str, Any], content: str) -> str | Mapping[str, Any]:
    is_file = isinstance(entry, str) and not entry.endswith("/")
    return {"path": entry, "content": content} if is_file else entry


def _account(fields: Mapping[str, Any]) -> AccountInfo:
    return AccountInfo(**{**fields, "scopes": tuple(fields["scopes"])})
