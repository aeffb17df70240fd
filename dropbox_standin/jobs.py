"""Work that a call launches and a later call asks about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropbox_standin.wire import Union, conflict, tagged

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropbox_standin.accounts import Account
    from dropbox_standin.tokens import Tokens


@dataclass(eq=False)
class Job:
    """One launch.

    Attributes:
        checked_by: the route that may ask about it.
        work: does it, and says what came of it.
        checks_left: how often it is still in progress when somebody asks.
    """

    checked_by: str
    account: Account
    work: Callable[[], Union]
    checks_left: int
    result: Union | None = None

    def finish(self) -> Union:
        if self.result is None:
            self.result = self.work()
        return self.result


@dataclass
class Jobs:
    """The jobs launched so far.

    Attributes:
        async_above: batches with more entries become jobs by themselves.
        checks: how often a job is `in_progress` before it is complete.
        late: the work is done with the check that tells of it, and not at the launch.
    """

    tokens: Tokens
    async_above: int = 100
    checks: int = 1
    late: bool = False
    launched: dict[str, Job] = field(default_factory=dict)

    def launch(self, *, account: Account, checked_by: str, work: Callable[[], Union]) -> Union:
        """The answer that names the new job."""
        job_id = f"dbjid:AA{self.tokens.random(40)}"
        job = self.launched[job_id] = Job(checked_by, account, work, self.checks)
        if not self.late:
            job.finish()
        return {".tag": "async_job_id", "async_job_id": job_id}

    def check(self, job_id: str, *, account: Account, checked_by: str) -> Union:
        """How far the job is.

        Raises:
            UnionError: this route has launched no such job for this account.
        """
        job = self.launched.get(job_id)
        if job is None or job.account is not account or job.checked_by != checked_by:
            raise conflict("invalid_async_job_id")
        if job.checks_left:
            job.checks_left -= 1
            return tagged("in_progress")
        return job.finish()
