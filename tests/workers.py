"""RQ's worker in the process of the test, so that coverage and debugger see what it does."""

from coverage import Coverage
from rq import Queue
from rq.serializers import JSONSerializer

from statemachine.rq_worker import FewRoundsWorker
from statemachine.worker import DeathPenalty


class InProcessWorker(FewRoundsWorker):
    """It neither forks nor listens for commands: to stop listening takes a second each time, and nobody sends one."""

    death_penalty_class = DeathPenalty

    def subscribe(self) -> None:
        """Leave `pubsub_thread` as it is, which is none."""


def work_off(queue: Queue, *, with_scheduler: bool = False, logging_level: str = "CRITICAL") -> None:
    """Do all that is queued there."""
    worker = InProcessWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.work(burst=True, with_scheduler=with_scheduler, logging_level=logging_level)


def forget_measured() -> None:
    """In a fork of the tests' process: leave to that process what it has measured. At its end the fork would write it all anew."""
    if (measuring := Coverage.current()) and measuring._collector:
        measuring._collector._clear_data()
