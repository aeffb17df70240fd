"""The way to each of RQ's pages, in the words of the main navigation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import ResolverMatch, reverse
from django_rq.settings import get_queues_list
from rq.worker import Worker

from console.shell import navigation

# Of the names of django-rq's addresses.
PREFIX = "django_rq_"
# The pages whose last step is the thing that they show. All others are called by what is done or listed there.
THINGS = {
    "home",
    "queue_details",
    "job_detail",
    "result_detail",
    "worker_details",
    "cron_scheduler_detail",
    "cron_job_detail",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the way; `url` is empty where it leads to no page."""

    words: str
    url: str = ""


def trail_of(request: HttpRequest) -> list[Step]:
    """The steps that lead to this page of django-rq, itself last.

    Args:
        request: one whose address is django-rq's. A queue that does not exist is left out.
    """
    at = request.resolver_match
    return list(_steps(request, at)) if at else []


def _steps(request: HttpRequest, at: ResolverMatch) -> Iterator[Step]:
    page, named = str(at.url_name).removeprefix(PREFIX), at.kwargs
    yield Step(words="Start", url=reverse("admin:index"))
    if place := navigation.place_of(request):
        yield Step(words=place.label, url=place.url)
    yield Step(words="Queues", url=_url("home"))
    queue = named.get("queue_index", len(get_queues_list()))
    if queue < len(get_queues_list()):
        yield Step(words=get_queues_list()[queue]["name"], url=_url("queue_details", queue))
        yield from _in_queue(queue, named)
    if "scheduler_name" in named:
        scheduler = (named["connection_index"], named["scheduler_name"])
        yield Step(words=scheduler[1], url=_url("cron_scheduler_detail", *scheduler))
    if "cron_job_name" in named:
        yield Step(words=named["cron_job_name"])
    if page not in THINGS:
        yield Step(words=page.replace("_", " ").capitalize())


def _in_queue(queue: int, named: dict[str, Any]) -> Iterator[Step]:
    if "key" in named:
        yield Step(words="Workers", url=_url("workers", queue))
        yield Step(words=named["key"].removeprefix(Worker.redis_worker_namespace_prefix))
    if "job_id" in named:
        yield Step(words=named["job_id"], url=_url("job_detail", queue, named["job_id"]))
    if "result_id" in named:
        yield Step(words=named["result_id"])


def _url(page: str, *args: Any) -> str:
    return reverse(f"admin:{PREFIX}{page}", args=args)
