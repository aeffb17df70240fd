"""The part of the control API that sets how routes behave."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dropbox_standin import people
from dropbox_standin.inputs import NotUnderstood, fields_of, number
from dropbox_standin.refusals import REASONS, Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from dropbox_standin.stage import Stage

type Body = dict[str, Any]


def refuse_writes(stage: Stage, request: Request, body: Body) -> Body:
    """The next writes to a path, or all for a while beneath new folders of a team's space, are refused."""
    fields_of(body, "reason", "path", "account", "times", "fresh_parent_s")
    refusals, reason = stage.world.refusals, body.get("reason", "no_write_permission")
    if reason not in REASONS:
        raise NotUnderstood(f"reason is one of {', '.join(REASONS)}, not {reason!r}")
    if "fresh_parent_s" in body:
        refusals.fresh_parent_s = number(body["fresh_parent_s"], "fresh_parent_s", least=0)
        refusals.fresh_reason = reason
    else:
        account = people.account(stage.world, body["account"]).key if body.get("account") else None
        times = int(number(body.get("times", 1), "times", least=1))
        refusals.queue.append(Refusal(reason, body.get("path"), account, times))
    return list_refusals(stage, request, {})


def list_refusals(stage: Stage, _request: Request, _body: Body) -> Body:
    refusals = stage.world.refusals
    return {
        "refusals": [asdict(refusal) for refusal in refusals.queue],
        "fresh_parent_s": refusals.fresh_parent_s,
        "fresh_reason": refusals.fresh_reason,
    }


def clear_refusals(stage: Stage, request: Request, _body: Body) -> Body:
    stage.world.refusals.queue.clear()
    stage.world.refusals.fresh_parent_s = 0.0
    return list_refusals(stage, request, {})


def set_jobs(stage: Stage, _request: Request, body: Body) -> Body:
    """From how many entries on a batch becomes a job, how long that takes, and when its work is done."""
    fields_of(body, "async_above", "checks", "late")
    jobs = stage.world.jobs
    async_above = int(number(body.get("async_above", jobs.async_above), "async_above", least=0))
    checks = int(number(body.get("checks", jobs.checks), "checks", least=0))
    jobs.async_above, jobs.checks, jobs.late = async_above, checks, bool(body.get("late", jobs.late))
    return {"async_above": jobs.async_above, "checks": jobs.checks, "late": jobs.late, "launched": len(jobs.launched)}


def set_longpolls(stage: Stage, _request: Request, body: Body) -> Body:
    """What longpolls do beyond waiting; null takes a backoff away."""
    fields_of(body, "jitter_s", "backoff_s", "vague")
    knobs = stage.world.longpolls
    jitter_s = number(body.get("jitter_s", knobs.jitter_s), "jitter_s", least=0)
    backoff = body.get("backoff_s", knobs.backoff_s)
    knobs.backoff_s = None if backoff is None else int(number(backoff, "backoff_s", least=0))
    knobs.jitter_s, knobs.vague = jitter_s, bool(body.get("vague", knobs.vague))
    return asdict(knobs)


def set_search(stage: Stage, _request: Request, body: Body) -> Body:
    """How far the index lags behind, and what is wrong with what is found."""
    fields_of(body, "index_delay_s", "duplicates", "omit_every")
    searches, accounts = stage.world.searches, stage.world.accounts.values()
    omit_every = int(number(body.get("omit_every", searches.omit_every), "omit_every", least=0))
    if "index_delay_s" in body:
        delay_s = number(body["index_delay_s"], "index_delay_s", least=0)
        searches.set_delay(delay_s, [space for account in accounts for space in account.namespaces])
    searches.duplicates, searches.omit_every = bool(body.get("duplicates", searches.duplicates)), omit_every
    return {
        "index_delay_s": searches.delay_s,
        "duplicates": searches.duplicates,
        "omit_every": searches.omit_every,
    }


ACTIONS = (
    ("POST", "/search", set_search),
    ("POST", "/longpolls", set_longpolls),
    ("POST", "/refusals", refuse_writes),
    ("GET", "/refusals", list_refusals),
    ("DELETE", "/refusals", clear_refusals),
    ("POST", "/jobs", set_jobs),
)
