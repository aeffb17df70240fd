"""Who is told of records that failed, of a kind that the console knows only by its declaration."""

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from console.notices.models import FailureNotice
from console.notices.states import NoticeState
from statemachine.claims import message_of
from statemachine.jobs import run
from statemachine.transitions import Actor, Step, take
from tests.toy.admin import NoWater
from tests.toy.models import Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

UNREAD = '<span class="unread">1</span>'
MINE = "/admin/console/failurenotice/mine/"


@pytest.fixture
def broken(cook: User) -> list[Kettle]:
    """Two that the cook had switched on without water."""
    failure = NoWater()
    step = Step(transition="fail", arguments={"code": failure.code, "message": str(failure)})
    kettles = [
        Kettle.objects.create(label=label, state="heating", generation=1, initiated_by=cook)
        for label in ("Copper", "Tin")
    ]
    return [take(model=Kettle, pk=each.pk, step=step, actor=Actor.worker("job-1")) for each in kettles]


def test_one_mail_tells_of_all_that_failed_for_one_reason(kitchen: Client, cook: User, broken: list[Kettle]) -> None:
    User.objects.filter(pk=cook.pk).update(email="cook@example.com")
    FailureNotice.objects.update(state=NoticeState.SENDING)
    message = message_of(FailureNotice.objects.get())

    run(message.label, message.pk, message.state, message.generation)

    [sent] = mail.outbox
    assert sent.subject == "Runsheet: 2 kettles have failed: no water"
    assert "gave up on kettles that you started:" in sent.body
    assert "The kettle is empty. Fill it, then switch it on again." in sent.body
    for kettle in broken:
        assert f"{kettle}\n  http" in sent.body
        assert f"/admin/toy/kettle/{kettle.pk}/change/" in sent.body


def test_the_bell_rings_until_it_was_read(kitchen: Client, broken: list[Kettle]) -> None:
    before = kitchen.get("/admin/toy/kettle/").text
    mine = kitchen.get(MINE)
    kitchen.post(f"{MINE}read/")
    after = kitchen.get("/admin/toy/kettle/").text

    [notice] = mine.context["notices"]
    assert (notice.count, notice.reason) == ("2 kettles", "no water")
    assert kitchen.get(notice.url).context["cl"].result_count == 2
    assert UNREAD in before
    assert UNREAD not in after


@pytest.mark.usefixtures("broken")
def test_the_bell_is_for_who_may_see_the_records(kitchen: Client) -> None:
    kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

    assert kitchen.get(MINE).status_code == 403
