"""RQ's dashboard in the admin: for who may, never an error page, and from each job to its record and back.

What is awkward in django-rq is put right here (docs/decisions/0008-looking-at-the-queues-changes-nothing.md).
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django_rq.admin import QueueAdmin
from django_rq.settings import get_queues_list, get_queues_map
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.worker import Worker

from console.machine import queue_trail
from core.base.job_ids import JobId, job_label
from core.base.redis_client import ask
from statemachine.models import StateMachine
from statemachine.reactions import machines, reaction_for

type View = Callable[..., HttpResponse]

logger = logging.getLogger(__name__)

REDIS_SILENT = "Redis does not answer, so its queues cannot be shown. No work is lost meanwhile."
NO_SUCH_QUEUE = "There is no such queue."
NO_LONGER_THERE = (
    "Something of this is not there, or no longer, so not all of it was shown or done. Look at the list again."
)
NO_RQ_SCHEDULER = "The package rq-scheduler is not used here. What waits for its next try stands among the scheduled jobs of its queue."
WORKER_ENDED = "This worker has ended; these are the ones at work."
NOT_IN_THIS_STATE = "RQ does not do that with a job in its present state."

# django-rq's pages bring style sheets and style attributes of their own, written into them; of scripts they bring none
# that is needed (console/templates/django_rq/).
POLICY = settings.SECURE_CSP | {"style-src": [CSP.SELF, CSP.UNSAFE_INLINE]}


def may_use_queues(user: User | AnonymousUser) -> bool:
    """Whether somebody may look into RQ's queues, and so empty them."""
    return user.has_perm("statemachine.use_queues")


def job_url(job_id: str, *, user: User | AnonymousUser) -> str:
    """The address of an RQ job's page; empty for who may not look at it. Where the job is gone, the page says so."""
    if not may_use_queues(user):
        return ""
    about = _about(job_id)
    queue = get_queues_map()[reaction_for(about.machine, about.state).queue] if about else 0
    return reverse("admin:django_rq_job_detail", args=[queue, job_id])


def kept_jobs(job_ids: Collection[str]) -> set[str]:
    """Those of the jobs that RQ still keeps; none if Redis does not answer."""

    def exist(redis: Redis) -> list[int]:
        with redis.pipeline(transaction=False) as pipeline:
            for job_id in job_ids:
                pipeline.exists(Job.key_for(job_id))
            return list(pipeline.execute())

    try:
        return {job_id for job_id, exists in zip(job_ids, ask(exist), strict=True) if exists}
    except RedisError:
        return set()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOfJob:
    """What a job is about.

    Attributes:
        name: the record, or its type and number if it is gone or not for this person.
        url: its page in the admin; empty if there is none for this person.
    """

    name: str
    url: str


def record_of(job_id: str, request: HttpRequest) -> RecordOfJob | None:
    """The record that a job is about; None if the engine did not send the job."""
    about = _about(job_id)
    if about is None:
        return None
    record = about.machine._default_manager.filter(pk=about.pk).first()
    url = _page_of(record, request) if record else ""
    return RecordOfJob(name=f"{about.machine._meta.verbose_name} {record if url else about.pk}", url=url)


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """What a job's id says."""

    machine: type[StateMachine]
    pk: int
    state: str


def _about(job_id: str) -> _About | None:
    """What the id says; None if the engine does not send such a job."""
    said = JobId.read(job_id)
    known = {job_label(machine._meta.label_lower): machine for machine in machines()}
    if said is None or said.label not in known:
        return None
    machine = known[said.label]
    return _About(machine=machine, pk=said.pk, state=said.state) if said.state in machine.working_states else None


def _page_of(record: Model, request: HttpRequest) -> str:
    opts, model = record._meta, type(record)
    if not admin.site.is_registered(model) or not admin.site.get_model_admin(model).has_view_permission(
        request, record
    ):
        return ""
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[record.pk])


class GuardedQueueAdmin(QueueAdmin):
    """django-rq's dashboard, whose own views let every staff user empty a queue."""

    def get_urls(self) -> list[URLPattern]:
        """Only the dashboard's own pages: the table behind the model does not exist, and metrics stand elsewhere."""
        absent = ("dashboard_add", "dashboard_change", "dashboard_delete", "_history", "_metrics")
        pages = [
            each
            for each in super().get_urls()  # type: ignore[no-untyped-call]  # django-rq types this class in part
            if str(each.name).startswith("django_rq_") and not str(each.name).endswith(absent)
        ]
        for page in pages:
            page.callback = self.admin_site.admin_view(csp_override(POLICY)(_guarded(page.callback)))
        return pages

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_use_queues(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return may_use_queues(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return may_use_queues(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        return False


def _guarded(view: View) -> View:
    @wraps(view)
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_use_queues(request.user):
            raise PermissionDenied
        request.trail = queue_trail.trail_of(request)  # type: ignore[attr-defined]  # read by the frame of the page
        try:
            return _nothing_there(request, **kwargs) or view(request, *args, **kwargs)
        except (RedisConnectionError, RedisTimeout):
            return _silent(request)
        except InvalidJobOperation:
            return _elsewhere(request, NOT_IN_THIS_STATE, "django_rq_home")
        except (NoSuchJobError, Http404):
            if "job_id" in kwargs and "result_id" not in kwargs:
                return _page(request, "gone", job_id=kwargs["job_id"])
            return _elsewhere(request, NO_LONGER_THERE, "django_rq_home")
        except Exception:
            # Whatever is in Redis, RQ did not write it as it reads it; a page that says so helps more than none.
            logger.exception("dashboard: %s cannot be shown", request.path)
            return _page(request, "unreadable", queues=list(enumerate(each["name"] for each in get_queues_list())))

    return guard


def _nothing_there(
    request: HttpRequest,
    *,
    queue_index: int = 0,
    scheduler_index: int | None = None,
    job_id: str = "",
    key: str = "",
    **_: Any,
) -> HttpResponse | None:
    """The answer when an address speaks of what is not there, else None.

    Raises:
        RedisError: it does not answer; asked first, because it is asked once here and with patience by django-rq.
    """
    if scheduler_index is not None:
        return _elsewhere(request, NO_RQ_SCHEDULER, "django_rq_home")
    if queue_index >= len(get_queues_list()):
        return _elsewhere(request, NO_SUCH_QUEUE, "django_rq_home")
    if job_id and not ask(lambda redis: redis.exists(Job.key_for(job_id))):
        return _page(request, "gone", job_id=job_id)
    if key and not key.startswith(Worker.redis_worker_namespace_prefix):
        # A worker's page leads to itself by its bare name.
        key = f"{Worker.redis_worker_namespace_prefix}{key}"
        return HttpResponseRedirect(reverse("admin:django_rq_worker_details", args=[queue_index, key]))
    if key and not ask(lambda redis: redis.exists(key)):
        return _elsewhere(request, WORKER_ENDED, "django_rq_workers", queue_index)
    ask(Redis.ping)
    return None


def _silent(request: HttpRequest) -> HttpResponse:
    if request.path.rstrip("/").endswith("json"):  # a program asks, which no page helps
        return JsonResponse({"error": REDIS_SILENT}, status=503)
    return _elsewhere(request, REDIS_SILENT, "index")


def _elsewhere(request: HttpRequest, sentence: str, page: str, *args: Any) -> HttpResponse:
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse(f"admin:{page}", args=args))


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    return render(request, f"console/job_{name}.html", {**admin.site.each_context(request), **context})
