"""Whose turn it is: what people start goes first, orders take turns, and nobody is overtaken for ever."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings
from redis import Redis

from statemachine import jobs, line
from statemachine.dispatch import dispatch, kick
from statemachine.line import count_before, next_in_line, turn_now, turns_of
from statemachine.pump import top_up
from statemachine.reactions import Outcome
from statemachine.transitions import RECONCILER, Actor, Step, take
from tests.statemachine.conftest import in_s, message, noting, owed
from tests.toy.models import Kettle
from tests.toy.reactions import Work

pytestmark = pytest.mark.django_db


def order(count: int, *, label: str = "") -> list[int]:
    """Kettles that one order of the background owes their start, in their order."""
    made = [kettle.pk for kettle in Kettle.objects.bulk_create(Kettle(label=label, due_at=None) for _ in range(count))]
    rows = Kettle.objects.filter(pk__in=made)
    assert rows.update(due_at=Now(), turn=turns_of(rows)) == count
    return made


def clicked(user: User, pk: int) -> Kettle:
    return take(model=Kettle, pk=pk, step=Step(transition="switch_on"), actor=Actor.person(user))


def begun_next(limit: int) -> list[int]:
    """Begin those whose turn it is, and settle them; which."""
    chosen = [row.pk for row in next_in_line("toy", limit=limit)]
    Kettle.objects.filter(pk__in=chosen).update(due_at=None)
    return chosen


class TestOrders:
    def test_take_turns(self) -> None:
        first = order(40)
        begun_next(16)
        second = order(20)

        begun_next(16)  # those were to be begun next when the second was placed
        turns = begun_next(8)

        assert turns == [pk for pair in zip(first[32:36], second[:4], strict=True) for pk in pair]

    def test_of_three_do_not_wait_for_one_of_hundreds(self) -> None:
        order(500)
        begun_next(16)
        few = order(3)

        begun = [pk for _ in range(2) for pk in begun_next(16)]

        assert set(few) <= set(begun)

    def test_that_are_alone_begin_at_once(self) -> None:
        few = order(3)

        assert begun_next(16) == few

    def test_placed_at_the_same_time_take_turns_though_neither_sees_the_other(self) -> None:
        turn = turn_now(Kettle)
        one = [Kettle.objects.create(turn=turn + each).pk for each in range(1, 4)]
        other = [Kettle.objects.create(turn=turn + each).pk for each in range(1, 4)]

        assert begun_next(16) == [pk for pair in zip(one, other, strict=True) for pk in pair]

    def test_go_on_where_the_line_is_and_not_where_a_straggler_stands(self) -> None:
        large = order(100)
        for _ in range(4):
            begun_next(16)
        Kettle.objects.filter(pk=large[0]).update(state="heating", due_at=Now(), tries=1)  # its next try has come

        few = order(3)

        assert Kettle.objects.get(pk=few[0]).turn > Kettle.objects.get(pk=large[64]).turn

    def test_made_one_by_one_stand_in_the_order_in_which_they_were_made(self) -> None:
        made = [Kettle.objects.create().pk for _ in range(4)]

        assert begun_next(4) == made


class TestPlace:
    def test_is_kept_by_whoever_is_rung_for_again(self, settings: Settings, redis: Redis) -> None:
        settings.QUEUE_TARGET = 4
        first = order(12)
        top_up("toy")
        redis.flushdb()
        Kettle.objects.filter(rung_at__isnull=False).update(due_at=Now(), rung_at=None)

        assert [row.pk for row in next_in_line("toy", limit=4)] == first[:4]

    def test_is_kept_in_back_off_and_found_again_after_it(self) -> None:
        first, *others = order(5)
        Kettle.objects.filter(pk=first).update(state="heating", tries=1, due_at=in_s(60))
        assert [row.pk for row in next_in_line("toy", limit=2)] == others[:2]

        Kettle.objects.filter(pk=first).update(due_at=Now())

        assert [row.pk for row in next_in_line("toy", limit=2)] == [first, others[0]]

    def test_is_kept_by_a_start_and_by_what_a_worker_goes_on_with(self, work: Work) -> None:
        seen: list[int] = []
        work["heat"] = noting(seen, lambda run: run.record.turn, Outcome(transition="boiled", then="steep"))
        work["steep"] = noting(seen, lambda run: run.record.turn, Outcome(transition="poured"))
        (pk,) = order(1)
        turn = Kettle.objects.get(pk=pk).turn

        top_up("toy")
        jobs.run(*_arguments(Kettle.objects.get(pk=pk)))

        assert seen == [turn, turn]

    def test_is_another_after_a_click(self, cook: User) -> None:
        pk = order(30)[-1]

        kettle = clicked(cook, pk)

        assert (kettle.background, kettle.turn) == (False, Kettle.objects.get(pk=pk).turn)
        assert next_in_line("toy", limit=1) == [kettle]

    def test_is_given_to_each_of_many_that_one_command_starts(self, cook: User) -> None:
        pk = order(1)[0]
        step = Step(transition="switch_on", background=True, turn=77)

        kettle = take(model=Kettle, pk=pk, step=step, actor=Actor.person(cook))

        assert (kettle.background, kettle.turn) == (True, 77)


def _arguments(kettle: Kettle) -> tuple[str, int, str, int]:
    found = message(kettle)
    return found.label, found.pk, found.state, found.generation


class TestLanes:
    def test_clicks_go_first_in_their_order(self, cook: User) -> None:
        rows = order(20)
        later, sooner = rows[3], rows[9]
        clicked(cook, sooner)
        clicked(cook, later)

        assert begun_next(4) == [sooner, later, rows[0], rows[1]]

    def test_a_quarter_is_for_who_has_waited_for_long(self) -> None:
        patient = order(9)
        Kettle.objects.update(due_at=in_s(-700))
        by_hand = [owed(due_at=in_s(-1)).pk for _ in range(20)]

        chosen = begun_next(8)

        assert chosen[:6] == by_hand[:6]
        assert set(chosen[6:]) <= set(patient)

    def test_nobody_is_overtaken_for_ever_by_what_comes_back_at_no_cost(self) -> None:
        """As an account that Dropbox pauses again and again: its rows stand before others, and settle never."""
        paused, mine = order(20), order(1)[0]
        Kettle.objects.filter(pk__in=paused).update(state="heating")

        for second in range(700, 720):
            Kettle.objects.filter(pk=mine).update(due_at=in_s(-second))
            chosen = begun_next(8)
            Kettle.objects.filter(pk__in=paused).update(due_at=Now())
            if mine in chosen:
                return
        pytest.fail("it was overtaken for ever")


class TestRinging:
    def test_follows_the_line(self, redis: Redis, settings: Settings) -> None:
        settings.QUEUE_TARGET = 6
        first = order(8)
        top_up("toy")
        redis.flushdb()
        Kettle.objects.filter(pk__in=first[:2]).update(due_at=Now(), rung_at=None)

        top_up("toy")

        queued = [int(repr(job).split("-")[1]) for job in redis.lrange("rq:queue:toy", 0, -1)]
        assert queued == [first[0], first[1], first[6], first[7]]

    def test_for_one_of_the_background_waits_for_whoever_comes_before(self) -> None:
        ahead, mine = (owed(background=True) for _ in range(2))

        kick("toy.kettle", mine.pk, queue="toy", turn=mine.turn)
        assert not Kettle.objects.filter(rung_at__isnull=False).exists()

        dispatch(Kettle, pks=[ahead.pk])
        kick("toy.kettle", mine.pk, queue="toy", turn=mine.turn)
        assert Kettle.objects.filter(rung_at__isnull=False).count() == 2

    def test_for_one_of_the_background_is_at_once_when_nobody_waits(
        self, cook: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        kettle = Kettle.objects.create(due_at=None)
        with django_capture_on_commit_callbacks(execute=True):
            step = Step(transition="switch_on", background=True)
            take(model=Kettle, pk=kettle.pk, step=step, actor=RECONCILER)

        assert Kettle.objects.filter(rung_at__isnull=False).exists()


class TestCounting:
    def test_tells_how_many_come_before(self, cook: User) -> None:
        rows = order(10)
        clicked(cook, rows[8])
        Kettle.objects.filter(pk=rows[0]).update(due_at=in_s(60))

        mine = Kettle.objects.get(pk=rows[5])

        assert count_before(Kettle, pk=mine.pk, queue="toy", background=True, turn=mine.turn, at_most=10) == 5
        assert count_before(Kettle, pk=mine.pk, queue="toy", background=True, turn=mine.turn, at_most=2) == 3
        assert count_before(Kettle, pk=rows[8], queue="toy", background=False, turn=mine.turn, at_most=2) == 0


class TestOrderOfLists:
    """How the lists of a machine are sorted is no matter of the line, though it is read by the same query."""

    @pytest.mark.parametrize("ordering", [["-pk"], ["label"]])
    def test_changes_nothing(self, cook: User, monkeypatch: pytest.MonkeyPatch, ordering: list[str]) -> None:
        monkeypatch.setattr(Kettle._meta, "ordering", ordering)
        rows = order(20)

        assert turn_now(Kettle) > 0
        assert (
            count_before(
                Kettle, pk=rows[5], queue="toy", background=True, turn=Kettle.objects.get(pk=rows[5]).turn, at_most=9
            )
            == 5
        )
        assert [row.pk for row in next_in_line("toy", limit=16)] == rows[:16]


class TestCost:
    def test_is_a_few_bounded_questions(self) -> None:
        order(200)

        with CaptureQueriesContext(connection) as asked:
            next_in_line("toy", limit=16)
            turn_now(Kettle)

        assert len(asked) <= 4
        assert all(
            ("LIMIT" in query["sql"] or "EXISTS" in query["sql"]) and "OVER (" not in query["sql"] for query in asked
        )

    @pytest.mark.parametrize("state", ["cold", "heating"])
    def test_is_what_an_index_costs(self, state: str) -> None:
        """The rows of a long line are neither all read nor sorted."""
        rows = [Kettle(state=state, background=True) for _ in range(3_000)]
        Kettle.objects.bulk_create(rows)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE toy_kettle")

        text = line._candidates_as_text(Kettle, "toy", 16, line._rules(Kettle))
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN ANALYZE {text}")
            plan = "\n".join(line for (line,) in cursor.fetchall())

        assert f"toy_kettle_{'start' if state == 'cold' else 'begun'}" in plan
        assert "Seq Scan" not in plan
        assert "external" not in plan


def places(pks: Iterable[int]) -> dict[int, tuple[bool, int]]:
    rows = Kettle.objects.filter(pk__in=list(pks)).values_list("pk", "background", "turn")
    return {pk: (background, turn) for pk, background, turn in rows}


@dataclass
class Order:
    """What the model knows of an order of the background.

    Attributes:
        rows: not begun yet, in their order.
        had: how many of its rows were begun.
    """

    rows: list[int]
    had: int = 0


@dataclass
class Line:
    """A model of the line that knows no turn: lists of rows, and the rules in words.

    Attributes:
        by_hand: clicked and not begun yet, in their order.
        back: begun before, and owed again.
    """

    by_hand: list[int] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    back: set[int] = field(default_factory=set)

    def waiting(self) -> set[int]:
        return {*self.by_hand, *self.back, *(pk for each in self.orders for pk in each.rows)}

    def begin(self, chosen: list[int], limit: int) -> None:
        assert len(chosen) == min(limit, len(self.waiting())), "it is as many as there is room for"
        clicks = [pk for pk in chosen if pk in self.by_hand]
        assert clicks == self.by_hand[: len(clicks)] == chosen[: len(clicks)], "clicks go first, in their order"
        assert len(clicks) == min(limit, len(self.by_hand)), "nothing is begun before a click"
        self.by_hand = self.by_hand[len(clicks) :]
        self.back -= set(chosen)
        for each in self.orders:
            mine = [pk for pk in chosen if pk in each.rows]
            assert mine == each.rows[: len(mine)], "an order keeps its own order"
            each.rows, each.had = each.rows[len(mine) :], each.had + len(mine)


# What is left at the end of a day is begun by so many at once.
AT_LAST = 16


@pytest.mark.matrix
class TestTheModel:
    """Random days: orders of every size, clicks, messages lost, tries put back; seen against a model of the line."""

    @pytest.mark.parametrize("seed", range(6))
    def test_agrees(self, seed: int, settings: Settings, cook: User) -> None:
        dice, modelled = random.Random(seed), Line()
        settings.QUEUE_TARGET = dice.choice([1, 4, 16])
        placed: dict[int, tuple[bool, int]] = {}
        begun: set[int] = set()
        for _ in range(30):
            match dice.choices(["order", "click", "back", "begin"], [2, 1, 1, 4])[0]:
                case "order":
                    rows = order(dice.choice([1, 3, 8, 24]))
                    modelled.orders.append(Order(rows=list(rows)))
                    placed |= places(rows)
                case "click":
                    modelled.by_hand.append(pk := clicked(cook, Kettle.objects.create(due_at=None).pk).pk)
                    placed |= places([pk])
                case "back" if begun:
                    again = dice.sample(sorted(begun), min(len(begun), 3))
                    Kettle.objects.filter(pk__in=again).update(state="heating", due_at=Now(), background=True)
                    placed |= {pk: (True, placed[pk][1]) for pk in again}
                    begun -= set(again)
                    modelled.back |= set(again)
                case _:
                    limit = dice.randint(1, settings.QUEUE_TARGET)
                    chosen = begun_next(limit)
                    modelled.begin(chosen, limit)
                    begun |= set(chosen)
        while modelled.waiting():
            chosen = begun_next(AT_LAST)
            modelled.begin(chosen, AT_LAST)
            begun |= set(chosen)
        assert places(placed) == placed, "nothing but an order sets a place"

    @pytest.mark.parametrize("seed", range(4))
    def test_is_fair_to_orders_of_every_size(self, seed: int, settings: Settings) -> None:
        """From when both wait until one ends, two orders have had the same, but for what was to be begun at once."""
        dice = random.Random(seed)
        settings.QUEUE_TARGET = 8
        modelled = Line(orders=[Order(rows=order(80))])
        since: dict[tuple[int, int], int] = {}
        while modelled.waiting():
            if len(modelled.orders) < 5 and dice.random() < 0.4:
                modelled.orders.append(Order(rows=order(dice.choice([3, 12, 40]))))
                newest = len(modelled.orders) - 1
                since |= {(older, newest): modelled.orders[older].had for older in range(newest)}
            limit = dice.randint(1, 8)
            modelled.begin(begun_next(limit), limit)
            for (older, newer), before in since.items():
                first, second = modelled.orders[older], modelled.orders[newer]
                if first.rows and second.rows:
                    assert abs(first.had - before - second.had) <= 8 + 1
