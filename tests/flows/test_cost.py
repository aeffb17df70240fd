"""What one found lease costs: each statement is a way to PostgreSQL and back. BEGIN and COMMIT are ways, too."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis import Redis

from leases import services
from leases.models import Lease
from statemachine import jobs
from statemachine.claims import message_of
from statemachine.doorbell import Message
from tests.flows.conftest import BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

CREATED = ["BEGIN", "INSERT", "INSERT", "COMMIT", "WITH"]
FOUND = [
    *("UPDATE", "SELECT", "SELECT", "SELECT", "SELECT"),  # the claim; account, configuration, place and history
    *("BEGIN", "SELECT", "SELECT", "INSERT", "UPDATE", "INSERT", "COMMIT"),  # found, and on with the detection
    *("BEGIN", "SELECT", "SELECT", "UPDATE", "INSERT", "COMMIT"),  # detected
    *("SELECT", "SELECT"),  # how long it took, for the metrics; whether anybody waits
]


def verbs(sent: CaptureQueriesContext) -> list[str]:
    # Of what is prepared Django writes down more than the statement.
    texts = [query["sql"].removeprefix("QUERY = '").removeprefix("\\n") for query in sent.captured_queries]
    return [text.split()[0] for text in texts]


def made(operator: User, number: str) -> Lease:
    return services.create_lease(agency="BLM", lease_number=number, created_by=operator)


def may_by(person: User, right: str) -> None:
    """Let the person's rights come from nowhere else."""
    rights = Permission.objects.filter(content_type__app_label="leases")
    person.is_superuser = right == "superuser"
    person.save()
    person.user_permissions.set(rights if right == "own" else [])
    role = Group.objects.create(name="Runs all")
    role.permissions.set(rights if right == "role" else [])
    person.groups.set([role])


def owed(lease: Lease) -> Message:
    """What was sent for it; reading it anew, since a message moves a lease on."""
    return message_of(Lease.objects.get(pk=lease.pk))


@pytest.fixture
def warm(operator: User, dropbox: "Standin", redis: Redis) -> User:
    """What is asked once in five minutes, or in the life of a process, has been asked."""
    dropbox.put(*(f"{BLM}/{number}/Master Documents.pdf" for number in ("NMNM 1", "NMNM 2")))
    at = owed(made(operator, "NMNM 1"))
    jobs.run(at.label, at.pk, at.state, at.generation)
    redis.flushdb()
    return operator


class TestAFoundLease:
    def test_takes_five_statements_to_make(self, warm: User) -> None:
        with CaptureQueriesContext(connection) as sent:
            made(warm, "NMNM 2")

        assert verbs(sent) == CREATED

    @pytest.mark.parametrize("right", ["superuser", "own", "role"])
    def test_takes_twenty_statements_to_work(self, warm: User, right: str) -> None:
        """Whatever the right to run it comes from."""
        may_by(warm, right)
        at = owed(made(User.objects.get(pk=warm.pk), "NMNM 2"))

        with CaptureQueriesContext(connection) as sent:
            assert jobs.run(at.label, at.pk, at.state, at.generation) == "done"

        assert verbs(sent) == FOUND
        assert len(FOUND) == 20
