"""The programs that make up a running Runsheet: one table for `manage.py up`, the demo and docker-compose.yml."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command that runs until it is told to stop.

    Attributes:
        name: what its lines in the terminal and its log file are called.
        command: as typed in the checkout; `python` is the interpreter that has the requirements.
        stop_s: how many seconds it gets to end in order before it is killed.
        inherits: file descriptors that it is handed, such as a listening socket.
    """

    name: str
    command: tuple[str, ...]
    stop_s: float = 10.0
    inherits: tuple[int, ...] = ()


# The queue that was there first, whose pool is called “worker” without more.
FIRST_QUEUE = "discovery"
MIGRATE = ("python", "manage.py", "migrate", "--no-input")
RECONCILER = Program(name="reconciler", command=("python", "manage.py", "reconcile"))


def web(*, bind: str, inherits: tuple[int, ...] = ()) -> Program:
    """The console. Everything but the address stands in gunicorn.conf.py."""
    return Program(name="web", command=("python", "-m", "gunicorn", "core.wsgi", "--bind", bind), inherits=inherits)


def worker(*, count: int | str, queue: str = FIRST_QUEUE) -> Program:
    """A pool of workers for one queue. It must be told the serializer and the class; the settings reach neither."""
    pool = ("python", "manage.py", "rqworker-pool", queue, "--num-workers", str(count))
    options = ("--serializer", "json", "--worker-class", "statemachine.worker.RunsheetWorker")
    return Program(name=worker_name(queue), command=(*pool, *options), stop_s=30.0)


def worker_name(queue: str) -> str:
    """What the pool of a queue is called, as a program and as a service of docker-compose.yml."""
    return "worker" if queue == FIRST_QUEUE else f"worker-{queue}"


def standin(*, port: int) -> Program:
    """The stand-in for Dropbox, with the archives of the demo."""
    return Program(name="standin", command=("python", "-m", "dropbox_standin", "--port", str(port), "--seed", "demo"))
