"""The index, for programs: start a run, see how it stands, and look for files. What becomes of failures is said in `api.failures`."""

from datetime import datetime, timedelta
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Annotated

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Body, Query, Router, Status
from pydantic import BaseModel, ConfigDict, Field

from api.shapes import Said, Text
from console.records.links import page_of
from core.http.lists import of_list
from storage.models import FileState, IndexRun, Mode, StorageRoot, StoredFile
from storage.searching import matching
from storage.services import GRACE_DAYS_AT_MOST, MISSING_AT_MOST, IndexSyncService, RunReport

router = Router()
files = Router()

POLL_EVERY_S = 1
FILES_AT_MOST = 1_000
# Whoever waits holds a thread of this process; so some stay free for everybody else.
waiting = BoundedSemaphore(settings.API_WAITING_AT_MOST)


class Rebuild(Said):
    """What a run is to do; the names and what is not said are those of `IndexSyncService.start` and of the command."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": Mode.AUDIT.value}]})

    mode: Text = Mode.AUDIT
    root: Text = "documents"
    user_id: int | None = None
    dry_run: bool = False
    force: bool = False
    incremental: bool = False
    checksums: bool = False
    include_protected: bool = False
    allow_missing: Annotated[int, Field(ge=0, le=MISSING_AT_MOST)] | None = None
    grace_days: Annotated[int, Field(ge=0, le=GRACE_DAYS_AT_MOST)] | None = None


@router.post("/rebuild/", response={HTTPStatus.OK: RunReport, HTTPStatus.ACCEPTED: RunReport}, url_name="rebuild_index")
def rebuild(
    request: HttpRequest,
    response: HttpResponse,
    wish: Annotated[Rebuild, Body()] = Rebuild(),  # noqa: B008 - it never changes
    wait: Annotated[float, Query(ge=0, allow_inf_nan=False)] = 0,
) -> Status[RunReport]:
    """Start a run. With `wait`, in seconds, the answer comes with its end, if that is near.

    Raises:
        Refused: nothing was started, see `IndexSyncService.start`.
    """
    service = IndexSyncService(by=request.auth)  # type: ignore[attr-defined]  # set by whoever has found out who asks
    wished = wish.model_dump(exclude={"grace_days"})
    grace = None if wish.grace_days is None else timedelta(days=wish.grace_days)
    run = service.start(**wished, grace=grace)
    run = _waited(service, run, at_most_s=min(wait, settings.API_WAIT_AT_MOST_S))
    here = request.resolver_match.namespace if request.resolver_match else ""
    response["Location"] = reverse(f"{here}:index_run", args=[run.pk])
    if not run.is_over:
        response["Retry-After"] = str(POLL_EVERY_S)
    return Status(HTTPStatus.OK if run.is_over else HTTPStatus.ACCEPTED, RunReport.of(run))


@router.get("/runs/{int:run_id}/", response=RunReport, url_name="index_run")
def index_run(request: HttpRequest, run_id: int) -> RunReport:
    """A run as it stands.

    Raises:
        PermissionDenied: the person may not see runs.
        RunGone: there is none.
    """
    if not request.auth.has_perm("storage.view_indexrun"):  # type: ignore[attr-defined]  # see above
        raise PermissionDenied("You do not have the permission to see index runs. Ask an administrator.")
    return RunReport.of(IndexSyncService().wait(run_id=run_id, at_most_s=0))


def _waited(service: IndexSyncService, run: IndexRun, *, at_most_s: float) -> IndexRun:
    """The run at its end, or as it stands when the time is over; at once where too many wait already."""
    if not at_most_s or not waiting.acquire(blocking=False):
        return run
    try:
        return service.wait(run_id=run.pk, at_most_s=at_most_s)
    finally:
        waiting.release()


class FoundFile(BaseModel):
    """A file or a folder as the index knows it.

    Attributes:
        root_title: what people call the root; of one that the settings declare, its name.
        path: below the root; that of a folder ends in “/”. Of a folder of archives it is in one case, as Dropbox compares it.
        size: in bytes; empty for a folder.
        changed: by the clock of its storage; empty where that is in no year of a calendar, or not known.
        page: its address in the console.
    """

    id: int
    root: str
    root_title: str
    path: str
    name: str
    is_directory: bool
    size: int | None
    changed: datetime | None
    media_type: str
    state: str
    sha256: str | None
    page: str

    @classmethod
    def of(cls, file: StoredFile) -> "FoundFile":
        return cls(
            id=file.pk,
            root=file.root.name,
            root_title=file.root.title,
            path=file.key,
            name=file.name,
            is_directory=file.is_directory,
            size=None if file.is_directory else file.size,
            changed=file.modified_at,
            media_type=file.content_type,
            state=file.state,
            sha256=file.sha256,
            page=page_of(file),
        )


class FoundFiles(BaseModel):
    """Some of the files that were looked for.

    Attributes:
        next: what to ask for as `after` to get those that follow; empty: there are none.
    """

    files: list[FoundFile]
    next: str | None


class Wanted(BaseModel):
    """Which files are looked for, and how many at once.

    Attributes:
        search: see `storage.searching.matching`.
        after: the `next` of the answer before.
    """

    search: str = ""
    root: str = ""
    state: FileState | None = None
    after: str = ""
    limit: Annotated[int, Field(ge=1, le=FILES_AT_MOST)] = 100


@files.get("/", response=FoundFiles, url_name="files")
@of_list
def found_files(request: HttpRequest, wanted: Annotated[Wanted, Query()]) -> FoundFiles:
    """Files and folders by the words of their names, or by the beginning of a path; by root and path, some at a time.

    Raises:
        PermissionDenied: the person may not see files.
        RootUnknown, SearchTooLong: nothing was looked for.
    """
    if not request.auth.has_perm("storage.view_storedfile"):  # type: ignore[attr-defined]  # see above
        raise PermissionDenied("You do not have the permission to see files. Ask an administrator.")
    page = list(_wanted(wanted)[: wanted.limit + 1])
    shown = page[: wanted.limit]
    last = shown[-1] if len(page) > wanted.limit else None
    return FoundFiles(
        files=[FoundFile.of(file) for file in shown], next=f"{last.root.name}/{last.key}" if last else None
    )


def _wanted(wanted: Wanted) -> QuerySet[StoredFile]:
    found = StoredFile.objects.select_related("root").order_by("root_id", "key")
    if wanted.root:
        found = found.filter(root=StorageRoot.named(wanted.root))
    if wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.search:
        found = matching(found, wanted.search)
    if wanted.after:
        name, _, key = wanted.after.partition("/")
        last = StorageRoot.named(name).pk
        found = found.filter(Q(root=last, key__gt=key) | Q(root__gt=last))
    return found
