"""The pages that are asked for, each time another one of its kind. Imported once Django is ready."""

import itertools
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.test import Client

from bench import stored
from core.base.errors import RunsheetError
from leases.models import Lease
from statemachine.models import TransitionLog

LIST = "/admin/leases/lease/"
LOG = "/admin/statemachine/transitionlog/"
PER_PAGE = 50
LOG_PER_PAGE = 100


class NoPage(RunsheetError):
    """A page did not come."""


def pages() -> dict[str, Callable[[], int]]:
    """What to ask for, by name; each returns how many queries it took."""
    client = Client()
    client.force_login(User.objects.get(username="person-00"))
    count = Lease.objects.count()
    last_of_log = min(100, TransitionLog.objects.count() // LOG_PER_PAGE)
    newest = Lease.objects.latest("pk").pk
    some = itertools.cycle(Lease.objects.filter(pk__gt=newest - 997).values_list("pk", "lease_number"))
    states = itertools.cycle(["failed", "done", "not_found", "pending"])
    return {
        "start page": lambda: _visit(client, "/admin/"),
        "list, plain": lambda: _visit(client, LIST),
        "list, by state": lambda: _visit(client, LIST, state__exact=next(states)),
        "list, by state, agency, person and code": lambda: _visit(
            client,
            LIST,
            state__exact="failed",
            agency__exact="BLM",
            initiated_by__id__exact=User.objects.first().pk,  # type: ignore[union-attr]  # there are some
            failure_code="connect_dropbox",
        ),
        "list, one number": lambda: _visit(client, LIST, q=next(some)[1].replace(" ", "").lower()),
        "list, a part of numbers": lambda: _visit(client, LIST, q="0123"),
        "list, a number that no lease has": lambda: _visit(client, LIST, q="nowhere"),
        "list, 200 numbers": lambda: _search(client, "; ".join(next(some)[1] for _ in range(200))),
        "list, middle page": lambda: _visit(client, LIST, p=count // PER_PAGE // 2),
        "list, last page": lambda: _visit(client, LIST, p=-(-count // PER_PAGE)),
        "list, by number": lambda: _visit(client, LIST, o="1"),
        "transition log, plain": lambda: _visit(client, LOG),
        "transition log, late page": lambda: _visit(client, LOG, p=last_of_log),
        "transition log, one record": lambda: _visit(client, LOG, q=str(next(some)[0])),
        "transition log, by who did it": lambda: _visit(client, LOG, actor_kind__exact="worker"),
        **_worst(client, count),
        "archives": lambda: _visit(client, "/admin/cloud/cloudlocation/"),
        "archives, a part of names": lambda: _visit(client, "/admin/cloud/cloudlocation/", q="0123"),
        "lease page": lambda: _visit(client, f"{LIST}{next(some)[0]}/change/"),
        **stored.pages(lambda path, query: _visit(client, path, **query)),
    }


def _worst(client: Client, count: int) -> dict[str, Callable[[], int]]:
    """The slowest that an address can ask of each list: what matches nothing, or nearly everything, last page first."""
    nowhere = "zzz"
    return {
        "worst: list, all but the state, by a column without an index": lambda: _visit(
            client, LIST, o="-4", agency__exact="BLM", runsheet_report_found__exact="0", p=count // PER_PAGE // 3
        ),
        "worst: list, a batch and a part of numbers": lambda: _visit(client, LIST, batches="1", q="0"),
        "worst: list, 60 words": lambda: _visit(client, LIST, q=" ".join(["1"] * 60)),
        "worst: list, days": lambda: _visit(
            client, LIST, created_at__gte="2000-01-01 00:00:00+00:00", entered_at__lt="2100-01-01 00:00:00+00:00"
        ),
        "worst: transition log, a transition that is rare": lambda: _visit(client, LOG, transition="cancel"),
        "worst: transition log, a kind without rows": lambda: _visit(client, LOG, record_type="console.failurenotice"),
        "worst: transition log, nobody": lambda: _visit(client, LOG, actor_kind__exact="reconciler", o="0"),
        "worst: archives, 10 words": lambda: _visit(client, "/admin/cloud/cloudlocation/", q=" ".join(["0"] * 10)),
        "worst: archives, nothing": lambda: _visit(client, "/admin/cloud/cloudlocation/", q=nowhere),
        "worst: archives, by the link's end": lambda: _visit(client, "/admin/cloud/cloudlocation/", o="-2"),
        "worst: imports, nothing": lambda: _visit(client, "/admin/leases/batch/", q=nowhere),
        "worst: notices, by why": lambda: _visit(client, "/admin/console/failurenotice/", o="-1.4"),
        "worst: people, 10 words": lambda: _visit(client, "/admin/auth/user/", q=" ".join(["e"] * 10)),
    }


def _search(client: Client, text: str) -> int:
    """What the search box does: a long search gets a short name, by which its list is asked for."""
    answer = client.post(f"{LIST}search/", {"q": text}, secure=True, headers={"host": "localhost"})
    return _visit(client, LIST, q=QueryDict(urlsplit(answer["Location"]).query)["q"])


def _visit(client: Client, path: str, **query: object) -> int:
    """Raises: NoPage: the answer is none."""
    counted = itertools.count()
    with connection.execute_wrapper(lambda execute, *asked: (next(counted), execute(*asked))[1]):
        answer = client.get(f"{path}?{urlencode(query)}" if query else path, secure=True, headers={"host": "localhost"})
    if answer.status_code != 200:
        raise NoPage(f"{path} {query}: {answer.status_code}")
    return next(counted)
