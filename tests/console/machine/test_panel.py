"""What the page of a record says of its batches, where its kind has none."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User

from console.machine.panel import NOBODY, Event, Fact, Panel
from console.models import FailureNotice
from statemachine.batches import can_be_run_together
from tests.toy.admin import KettleAdmin
from tests.toy.models import Kettle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def test_of_what_is_never_run_together_tells_of_no_batch(olivia: User) -> None:
    notice = FailureNotice.objects.create(record_type="toy.kettle", reason="no_water", due_at=None)

    panel = Panel(record=notice, user=olivia, page=KettleAdmin(Kettle, admin.site))

    assert not can_be_run_together(FailureNotice)
    assert list(panel.facts) == [Fact(label="Run for", value=NOBODY)]
    assert panel.newest is None
    assert panel.origin == Event(words="Created", at=None)
