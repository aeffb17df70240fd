"""What a button does, in which order buttons stand, and why one is absent."""

import pytest
from django.contrib.auth.models import Permission, User

from console.machine.buttons import Button, in_order, lacking, press, why_absent
from statemachine.errors import RecordGone, TransitionForbidden, TransitionRefused
from statemachine.models import StateMachine
from statemachine.transitions import Actor, Step, take
from tests.toy.models import Kettle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]

ON = Button(name="on", label="Switch on", step=Step(transition="switch_on"))
OFF = Button(name="off", label="Switch off", step=Step(transition="cancel"), ends=True)
TEA = Button(
    name="tea",
    label="Make tea",
    step=Step(transition="steep"),
    first_in={"ready"},
    missing=lambda kettle: "" if kettle.litres else "There is no water in it. Fill it first.",
)


@pytest.fixture
def cook(db: None) -> User:
    user = User.objects.create_user("cook")
    user.user_permissions.add(Permission.objects.get(codename="boil"))
    return user


class TestOrder:
    @pytest.mark.parametrize(("state", "names"), [("cold", ["on", "tea", "off"]), ("ready", ["tea", "on", "off"])])
    def test_is_as_they_are_wanted_and_ends_with_what_ends(self, state: str, names: list[str]) -> None:
        assert [button.name for button in in_order((OFF, ON, TEA), state)] == names


class TestLacking:
    @pytest.mark.parametrize(
        ("right", "meaning"), [("toy.boil", "boil water"), ("toy.change_kettle", "change kettle"), ("", "do that")]
    )
    def test_says_what_one_may_not_do(self, right: str, meaning: str) -> None:
        assert lacking(Kettle, right) == f"You do not have the permission to {meaning}. Ask an administrator."


class TestWhyAbsent:
    def test_is_empty_where_it_is_there(self, cook: User) -> None:
        assert why_absent(ON, record=Kettle(), user=cook) == ""

    def test_sends_nobody_to_stop_what_has_no_button_for_it(self, cook: User) -> None:
        heating = Kettle(state="heating")

        assert why_absent(ON, record=heating, user=cook, buttons=(ON,)).endswith("wait until it is settled.")
        assert why_absent(ON, record=heating, user=cook, buttons=(ON, OFF)).endswith(
            "stop that first, or wait until it is settled."
        )

    @pytest.mark.parametrize(
        ("litres", "words"),
        [(0, "There is no water in it. Fill it first."), (1, "Not possible while the kettle is “Cold”.")],
    )
    def test_says_what_is_missing(self, olivia: User, litres: int, words: str) -> None:
        assert why_absent(TEA, record=Kettle(litres=litres), user=olivia) == words

    def test_is_that_it_is_for_no_person(self, cook: User) -> None:
        ready = Kettle(state="ready", litres=1)

        assert why_absent(TEA, record=ready, user=cook) == lacking(Kettle, "")


class TestPress:
    def test_takes_the_step(self, cook: User) -> None:
        kettle = Kettle.objects.create()

        after = press(ON, model=Kettle, record_id=kettle.pk, user=cook)

        assert (after.state, after.initiated_by) == ("heating", cook)

    def test_calls_the_service_where_there_is_one(self, cook: User) -> None:
        def fill_and_boil(*, record_id: int, user: User, generation: int | None) -> StateMachine:
            step = Step(transition="switch_on", arguments={"litres": 2})
            return take(model=Kettle, pk=record_id, step=step, actor=Actor.person(user), generation=generation)

        kettle = Kettle.objects.create()
        button = Button(name="fill", label="Fill and boil", step=ON.step, service=fill_and_boil)

        press(button, model=Kettle, record_id=kettle.pk, user=cook, generation=0)

        assert Kettle.objects.get().litres == 2

    def test_refuses_in_the_words_of_the_page(self, cook: User) -> None:
        kettle = Kettle.objects.create()

        with pytest.raises(TransitionRefused, match="The kettle is “Cold”: nothing is under way that could be stopped"):
            press(OFF, model=Kettle, record_id=kettle.pk, user=cook)

    def test_refuses_in_the_words_of_the_door_what_is_possible_by_now(
        self, cook: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kettle = Kettle.objects.create()

        def too_early(**_: object) -> StateMachine:
            raise TransitionRefused

        monkeypatch.setattr("console.machine.buttons.take", too_early)

        with pytest.raises(TransitionRefused, match="The present state does not allow that"):
            press(ON, model=Kettle, record_id=kettle.pk, user=cook)

    def test_refuses_what_is_gone_and_who_may_not(self) -> None:
        guest, kettle = User.objects.create_user("guest"), Kettle.objects.create()

        with pytest.raises(RecordGone):
            press(ON, model=Kettle, record_id=4711, user=guest)
        with pytest.raises(TransitionForbidden):
            press(ON, model=Kettle, record_id=kettle.pk, user=guest)
