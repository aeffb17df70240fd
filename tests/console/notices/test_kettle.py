"""Who is told of records that failed, of a kind that the console knows only by its declaration."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client

from console.notices.models import FailureNotice, Noticed
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


def test_what_helps_one_record_alone_is_offered_for_one_alone(kitchen: Client, broken: list[Kettle]) -> None:
    of_two = kitchen.get(MINE).text
    broken[0].delete()
    of_one = kitchen.get(MINE).text

    assert "2 kettles failed: no water" in of_two
    assert "Fill Tin" not in of_two
    assert "Fill Copper" not in of_two
    assert "1 kettle failed: no water" in of_one
    assert "Fill Tin</a>" in of_one


@pytest.mark.usefixtures("broken")
def test_the_bell_is_for_who_may_see_the_records(kitchen: Client) -> None:
    kitchen.force_login(User.objects.create_user("stranger", is_staff=True))

    assert kitchen.get(MINE).status_code == 403


def test_each_kind_of_record_has_a_notice_of_its_own(cook: User) -> None:
    of_leases = FailureNotice.gathering_for(user_id=cook.pk, record_type="leases.lease", reason="no_water")

    kettle = Kettle.objects.create(state="heating", generation=1, initiated_by=cook)
    step = Step(transition="fail", arguments={"code": "no_water", "message": "Empty."})
    kettle = take(model=Kettle, pk=kettle.pk, step=step, actor=Actor.worker("job-1"))

    assert kettle.failure_notice not in {None, of_leases}
    assert set(FailureNotice.objects.values_list("record_type", flat=True)) == {"leases.lease", "toy.kettle"}


def test_who_has_none_is_told_of_which_records_there_would_be_some(kitchen: Client, cook: User) -> None:
    of_kettles = kitchen.get(MINE).text
    cook.user_permissions.add(Permission.objects.get(codename="view_lease"))
    of_both = kitchen.get(MINE).text

    assert "When kettles that you started fail" in of_kettles
    assert "When leases or kettles that you started fail" in of_both


class TestRunsThatNobodyStarted:
    """Such as those of a schedule: whoever looks after them is told."""

    @pytest.fixture(autouse=True)
    def forgotten(self, kitchen: Client, cook: User, monkeypatch: pytest.MonkeyPatch) -> Kettle:
        """One that went on by itself and ran dry, in a kitchen where whoever may boil looks after such ones."""
        monkeypatch.setattr(Kettle, "looked_after_by", "toy.boil")
        User.objects.filter(pk=cook.pk).update(email="cook@example.com")
        User.objects.create_superuser("owner", email="owner@example.com")
        User.objects.create_user("guest", email="guest@example.com", is_staff=True)
        kettle = Kettle.objects.create(label="Iron", state="heating", generation=1)
        step = Step(transition="fail", arguments={"code": NoWater.code, "message": str(NoWater())})
        return take(model=Kettle, pk=kettle.pk, step=step, actor=Actor.worker("job-1"))

    def test_one_mail_goes_to_all_who_look_after_them(self, forgotten: Kettle) -> None:
        FailureNotice.objects.update(state=NoticeState.SENDING)
        message = message_of(FailureNotice.objects.get())

        run(message.label, message.pk, message.state, message.generation)

        [sent] = mail.outbox
        assert sorted(sent.to) == ["cook@example.com", "owner@example.com"]
        assert sent.body.startswith("Hello cook, owner,\n\nRunsheet gave up on a kettle:\n")
        assert f"?state__exact=broken&failure_code={NoWater.code}&initiated_by__id__exact=nobody" in sent.body

    def test_the_bell_rings_for_them_until_one_has_read_it(self, kitchen: Client, cook: User) -> None:
        before = kitchen.get(MINE)
        kitchen.post(f"{MINE}read/")
        kitchen.force_login(User.objects.get(username="owner"))
        after = kitchen.get("/admin/toy/kettle/").text

        [notice] = before.context["notices"]
        assert (notice.count, kitchen.get(notice.url).context["cl"].result_count) == ("1 kettle", 1)
        assert UNREAD in before.text
        assert UNREAD not in after

    def test_the_bell_is_silent_for_others(self, kitchen: Client) -> None:
        guest = User.objects.get(username="guest")
        guest.user_permissions.add(Permission.objects.get(codename="view_kettle"))
        kitchen.force_login(guest)

        page = kitchen.get(MINE)

        assert page.context["notices"] == []
        assert UNREAD not in page.text

    def test_the_next_one_within_the_gathering_time_joins(self, cook: User) -> None:
        kettle = Kettle.objects.create(state="heating", generation=1)
        step = Step(transition="fail", arguments={"code": NoWater.code, "message": str(NoWater())})

        take(model=Kettle, pk=kettle.pk, step=step, actor=Actor.worker("job-2"))

        notice = FailureNotice.objects.get()
        assert (notice.right, notice.initiated_by, Kettle.objects.filter(failure_notice=notice).count()) == (
            "toy.boil", None, 2
        )  # fmt: skip
        assert str(notice) == "toy.boil: no water"

    def test_the_list_of_all_notices_says_whom_it_is_for(self, kitchen: Client) -> None:
        kitchen.force_login(User.objects.get(username="owner"))

        assert "who looks after them" in kitchen.get("/admin/console/failurenotice/").text

    def test_without_an_address_nobody_gets_a_mail(self) -> None:
        User.objects.update(email="")
        FailureNotice.objects.update(state=NoticeState.SENDING)
        message = message_of(FailureNotice.objects.get())

        run(message.label, message.pk, message.state, message.generation)

        assert FailureNotice.objects.get().failure_code == "no_address"


def test_what_ended_badly_without_a_failure_is_told_in_its_words(
    kitchen: Client, cook: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kettle, "told_states", classmethod(lambda _: frozenset({"ready", "broken"})))
    monkeypatch.setattr(Kettle, "entering", _boils_over)
    monkeypatch.setattr(NoWater, "became", "ended")
    User.objects.filter(pk=cook.pk).update(email="cook@example.com")
    for _ in range(2):
        kettle = Kettle.objects.create(state="heating", generation=1, initiated_by=cook)
        take(model=Kettle, pk=kettle.pk, step=Step(transition="boiled"), actor=Actor.worker("job-1"))
    FailureNotice.objects.update(state=NoticeState.SENDING)
    message = message_of(FailureNotice.objects.get())

    run(message.label, message.pk, message.state, message.generation)

    [sent] = mail.outbox
    assert sent.subject == "Runsheet: 2 kettles have ended: no water"
    assert "Runsheet has to tell you of kettles that you started:\n\nBoiled over." in sent.body
    assert "2 kettles ended: no water" in kitchen.get(MINE).text
    assert f"?state__in=broken%2Cready&failure_code={NoWater.code}" in sent.body
    assert kitchen.get(kitchen.get(MINE).context["notices"][0].url).context["cl"].result_count == 2


def _boils_over(kettle: Kettle) -> None:
    kettle.failure_code, kettle.failure_message = NoWater.code, "Boiled over."
    Noticed.entering(kettle)
