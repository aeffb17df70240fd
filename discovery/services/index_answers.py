"""What the index has answered about leases of one agency, written by a few statements for all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from cloud.services.locations import Seen, forget_links, record_seen
from core.base.errors import RunsheetError, Temporary
from discovery.services.indexed_sightings import IndexedSighting
from discovery.services.waiting import Postponed
from leases.models import Lease
from leases.services import confirm_base_path
from statemachine.reactions import Ending, Run

# A set asks Dropbox for no longer than this; whoever starts something by hand may be waiting for its worker.
ASKS_FOR_S = 5.0
# By then the others of the order have been answered, so that these do not come up among them again and again.
POSTPONED_S = 10.0


@dataclass(slots=True)
class IndexAnswers:
    """The answers, and where their archives are once that is written.

    Attributes:
        sightings: by the primary keys of the leases.
    """

    sightings: dict[int, IndexedSighting]
    _places: dict[str, int] = field(default_factory=dict)

    def record_places(self, leases: Sequence[Lease]) -> None:
        """Write where the archives of these locked leases lie, or that none does; three statements at most.

        Raises:
            Reconfigured: the configuration asks another question by now.
        """
        self.confirm_base_path(leases)
        told = self._of(leases)
        if there := [Seen(each.path, each.archive.name, each.archive.folder_id) for each in told if each.archive]:
            self._places |= record_seen(there)
        if absent := [each.path for each in told if each.archive is None]:
            forget_links(absent)

    def confirm_base_path(self, leases: Sequence[Lease]) -> None:
        """Make sure that the answers are still to the question that the configuration asks. One statement.

        Raises:
            Reconfigured: they are not.
        """
        if told := self._of(leases):
            confirm_base_path(leases[0], base_path=told[0].origin.base_path)

    def _of(self, leases: Sequence[Lease]) -> list[IndexedSighting]:
        return [self.sightings[lease.pk] for lease in leases if lease.pk in self.sightings]

    def found(self, lease: Lease) -> dict[str, Any]:
        """What the transition is told of an archive whose place is written."""
        sighting = self.sightings[lease.pk]
        return {"location_id": self._places[sighting.path], "origin": sighting.origin}


def each_alone(
    runs: Sequence[Run[Lease]],
    *,
    told: Callable[[Run[Lease]], Ending | None],
    asked: Callable[[Run[Lease]], Ending],
) -> list[Ending | RunsheetError]:
    """How each of them ends; what goes wrong with one of several is that one's alone.

    Args:
        told: what the index says; None where it says nothing.
        asked: what Dropbox says, which takes calls. When the time for them is over, or Dropbox asks for a pause, the rest
            is put back at no cost.

    Raises:
        RunsheetError: of a run that is alone.
    """
    if len(runs) == 1:
        return [told(runs[0]) or asked(runs[0])]
    until, postponed = monotonic() + ASKS_FOR_S, None
    endings: list[Ending | RunsheetError] = []
    for run in runs:
        ending: Ending | RunsheetError | None = told(run) or postponed
        if ending is None:
            ending = _asked(run, asked)
            postponed = _why_no_more(ending, is_late=monotonic() >= until)
        endings.append(ending)
    return endings


def _asked(run: Run[Lease], asked: Callable[[Run[Lease]], Ending]) -> Ending | RunsheetError:
    try:
        return asked(run)
    except RunsheetError as error:
        return error


def _why_no_more(ending: Ending | RunsheetError, *, is_late: bool) -> Temporary | None:
    """With what the rest is put back; None if it is asked, too."""
    if isinstance(ending, Temporary) and not ending.costs_try:
        return Postponed(retry_after_s=max(ending.retry_after_s or 0, POSTPONED_S))
    return Postponed(retry_after_s=POSTPONED_S) if is_late else None
