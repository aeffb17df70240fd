"""What a program is told of leases, and what it may say of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.shapes import Person
from cloud.models import CloudLocation
from console.records.links import page_of
from core.base.errors import failure_of, words_for
from leases.lookalikes import doubts_about_number
from leases.models import Agency, Beside, Lease, Seen
from leases.queries import near_in
from leases.states import State
from statemachine.evidence import bounded
from statemachine.models import ActorKind, TransitionLog

# The states as they are shown; a test holds them against those of the machine.
type Shown = Literal["pending", "stopped", "searching", "found", "not_found", "detecting", "done", "failed"]
# A parsed body holds words, where a strict schema would want Python's own kinds.
AnAgency = Annotated[Agency, Field(strict=False)]


class Directory(BaseModel):
    """A folder in Dropbox.

    Attributes:
        share_url: empty as long as there is no share link.
        share_refusal: why there is none, where Dropbox refused one.
    """

    id: int
    path: str
    share_url: str
    share_refusal: str

    @classmethod
    def of(cls, location: CloudLocation | None) -> "Directory | None":
        if location is None:
            return None
        return cls(
            id=location.pk, path=location.path, share_url=location.share_url, share_refusal=location.share_refusal
        )


class BesideAnswer(BaseModel):
    """The document archive or the miscellaneous index, as far as somebody has looked."""

    state: Seen
    directory: Directory | None

    @classmethod
    def of(cls, lease: Lease, which: Beside) -> "BesideAnswer":
        return cls(
            state=Seen(getattr(lease, f"{which}_state")), directory=Directory.of(getattr(lease, f"{which}_directory"))
        )


class Failure(BaseModel):
    """Why it failed, or why the last try did not work.

    Attributes:
        words: the code as a person would say it.
        advice: what somebody can do about it.
    """

    code: str
    words: str
    detail: str
    advice: str


class LeaseItem(BaseModel):
    """A lease, and what is known of its archive.

    Attributes:
        is_owed: whether work will be done on it without anybody's help.
        report_found: whether there is a previous report; null: nobody has looked.
        report_is_old: whether that is only what was last known.
        matching_files: the first of the names that are a report's; `matching_count` says how many there are.
        known_at: when Dropbox gave the known answer.
        changed_at: when it came into its state.
        started_by: whose Dropbox the run uses, who is also the person that started it.
        page: its address in the console.
    """

    id: int
    agency: Agency
    number: str
    state: Shown
    is_owed: bool
    generation: int
    tries: int
    failure: Failure | None
    report_found: bool | None
    report_is_old: bool
    matching_files: list[str]
    matching_count: int
    directory: Directory | None
    documents: BesideAnswer
    misc_index: BesideAnswer
    known_at: datetime | None
    created_at: datetime
    changed_at: datetime
    created_by: Person | None
    started_by: Person | None
    page: str

    @classmethod
    def fields(cls, lease: Lease) -> dict[str, Any]:
        """Those that the row tells."""
        report_found, report_is_old = lease.known_report
        return {
            "id": lease.pk,
            "agency": lease.agency,
            "number": lease.lease_number,
            "state": lease.shown_state,
            "is_owed": lease.is_owed,
            "generation": lease.generation,
            "tries": lease.tries,
            "failure": _failure(lease),
            "report_found": report_found,
            "report_is_old": report_is_old,
            "matching_files": lease.matching_files,
            "matching_count": lease.matching_count,
            "directory": Directory.of(lease.runsheet_directory),
            "documents": BesideAnswer.of(lease, Beside.DOCUMENTS),
            "misc_index": BesideAnswer.of(lease, Beside.MISC_INDEX),
            "known_at": lease.known_at,
            "created_at": lease.created_at,
            "changed_at": lease.entered_at,
            "created_by": Person.of(lease.created_by),
            "started_by": Person.of(lease.initiated_by),
            "page": page_of(lease),
        }

    @classmethod
    def of(cls, lease: Lease) -> "LeaseItem":
        return cls(**cls.fields(lease))


class NearArchive(BaseModel):
    """An archive whose name comes near the number; `has_report` is null where nobody has looked."""

    name: str
    has_report: bool | None


class LeaseAnswer(LeaseItem):
    """One lease, with what its page says beside.

    Attributes:
        doubts: why the number may not be what is meant, a sentence each. Whoever gives a number is also told of a lease that
            it looks like.
        nearest: of one whose archive was not found, the archives that come nearest; null: nobody could look for any.
        not_made: why the archive, which was to be made, was not; empty if nobody wanted that, or it was.
    """

    doubts: list[str]
    nearest: list[NearArchive] | None
    not_made: str

    @classmethod
    def whole(cls, lease: Lease, *, doubts: list[str] | None = None) -> "LeaseAnswer":
        """With one statement more where no archive was found."""
        evidence = _evidence(lease) if lease.state == State.NOT_FOUND else {}
        nearest = [NearArchive(name=each.name, has_report=each.has_report) for each in near_in(evidence)]
        return cls(
            **cls.fields(lease),
            doubts=doubts_about_number(lease.lease_number, agency=lease.agency) if doubts is None else doubts,
            nearest=nearest if "nearest" in evidence else None,
            not_made=str(evidence.get("not_made", "")),
        )


def beside(lease: Lease) -> tuple[object, ...]:
    """What the answer of a lease shows that may change without its row, for its ETag."""
    folders = map(Directory.of, (lease.runsheet_directory, lease.documents_directory, lease.misc_index_directory))
    people = map(Person.of, (lease.created_by, lease.initiated_by))
    return tuple(each and each.model_dump() for each in (*folders, *people))


def _failure(lease: Lease) -> Failure | None:
    code = lease.failure_code
    if not code:
        return None
    return Failure(code=code, words=words_for(code), detail=lease.failure_message, advice=failure_of(code).advice)


def _evidence(lease: Lease) -> dict[str, Any]:
    """What led to the present state; empty where nothing stands in the history."""
    last = TransitionLog.objects.of(lease).last()
    return last.evidence if last else {}


class By(BaseModel):
    """Who took a transition; `person` is null where it was no person, or one who is gone."""

    kind: ActorKind
    person: Person | None


class Happened(BaseModel):
    """One transition of a lease.

    Attributes:
        generation: the lease's since then; no two have the same.
        lasted_s: how long the state that was left had lasted.
        tries: how often the work of the state that was left was begun.
        evidence: what was asked and answered that led here.
    """

    generation: int
    at: datetime
    transition: str
    from_state: str
    to_state: str
    by: By
    reason: str
    job_id: str
    lasted_s: float
    tries: int
    evidence: dict[str, Any]

    @classmethod
    def of(cls, row: TransitionLog) -> "Happened":
        return cls(
            generation=row.generation,
            at=row.at,
            transition=row.transition,
            from_state=row.from_state,
            to_state=row.to_state,
            by=By(kind=ActorKind(row.actor_kind), person=Person.of(row.actor)),
            reason=row.reason,
            job_id=row.job_id,
            lasted_s=row.lasted.total_seconds(),
            tries=row.tries,
            evidence=bounded(row.evidence),
        )
