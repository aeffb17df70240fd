"""The transition log's parts: made ahead, and what of old months is kept."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, transaction

from statemachine import duties, jobs, log_months
from statemachine.log_months import DEFAULT, KEPT, KEPT_MONTH, MONTHS_AHEAD
from statemachine.models import TransitionLog
from tests.toy.models import Kettle

INSERT = """
INSERT INTO statemachine_transitionlog (record_type, record_id, transition, from_state, to_state, generation, actor_kind, actor_id,
    reason, job_id, at, lasted, tries, evidence, month)
VALUES (%s, %s, %s, 'off', 'heating', %s, 'worker', %s, '', '', %s, '1 second', 1, %s, %s)
"""
TOY = "toy.kettle"


def months_ago(count: int) -> date:
    return log_months._later(log_months.this_month(), -count)


def written(
    *,
    generation: int,
    month: date,
    record: int = 1,
    transition: str = "switch_on",
    machine: str = TOY,
    evidence: str = "{}",
    at: date | None = None,
    actor: User | None = None,
) -> None:
    """An entry as it was written in that month."""
    told = datetime.combine(at or month, datetime.min.time(), UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT, [machine, record, transition, generation, actor.pk if actor else None, told, evidence, month]
        )


def made(*months: date) -> None:
    """Their parts are there."""
    for month in months:
        log_months._make(month)


def parts() -> dict[str, int]:
    """How many entries lie in each that has any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM statemachine_transitionlog")
        return dict(Counter(name for (name,) in cursor.fetchall()))


def generations(record: int = 1, machine: str = TOY) -> list[int]:
    found = TransitionLog.objects.filter(record_type=machine, record_id=record)
    return sorted(found.values_list("generation", flat=True))


@pytest.fixture(autouse=True)
def keeps(settings: Any) -> None:
    """Whole months: 12. Of what is older, each record's last two entries."""
    settings.TRANSITION_LOG_MONTHS, settings.TRANSITION_LOG_ENTRIES = 12, 2


@pytest.mark.django_db
class TestMakingAhead:
    def test_finds_what_the_migration_has_made(self) -> None:
        assert log_months.make_ahead() == []
        assert log_months.standing().ahead == MONTHS_AHEAD

    def test_makes_what_is_missing(self) -> None:
        gone = months_ago(-2)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {log_months._name_of(gone)}")

        assert log_months.make_ahead() == [gone]
        assert log_months.make_ahead() == []

    def test_puts_strays_in_the_months_in_which_they_were_written(self, django_user_model: type[User]) -> None:
        """Nobody has seen to the months for long: no entry was refused, and none is lost."""
        ann = django_user_model.objects.create_user("ann")
        written(generation=1, month=months_ago(-3), actor=ann)
        written(generation=2, month=months_ago(40))
        assert parts() == {DEFAULT: 2}
        assert log_months.standing().has_strays

        assert log_months.make_ahead() == [months_ago(40), months_ago(-3)]

        assert parts() == {log_months._name_of(months_ago(each)): 1 for each in (-3, 40)}
        assert TransitionLog.objects.get(generation=1).actor == ann
        assert not log_months.standing().has_strays

    def test_gives_each_entry_its_month(self) -> None:
        Kettle.objects.create(label="red")
        TransitionLog.objects.bulk_create([entry(1), entry(2)])

        assert parts() == {log_months._name_of(months_ago(0)): 2}


def entry(generation: int) -> TransitionLog:
    return TransitionLog(
        record_type=TOY,
        record_id=1,
        transition="switch_on",
        from_state="off",
        to_state="heating",
        generation=generation,
        actor_kind="worker",
        lasted=datetime.now(UTC) - datetime.now(UTC),
    )


@pytest.mark.django_db
class TestTrimming:
    def test_keeps_the_last_entries_of_each_record_and_drops_the_month(self) -> None:
        old = months_ago(13)
        made(old)
        for record in (1, 2):
            for generation in range(1, 6):
                written(generation=generation, month=old, record=record)

        assert log_months.trim_months() == 6

        assert (generations(1), generations(2)) == ([4, 5], [4, 5])
        assert parts() == {KEPT: 4}
        assert old not in log_months.standing().months

    def test_leaves_alone_what_is_not_older(self) -> None:
        young = months_ago(12)
        made(young)
        for generation in range(1, 6):
            written(generation=generation, month=young)

        assert log_months.trim_months() == 0
        assert generations() == [1, 2, 3, 4, 5]

    def test_counts_what_was_kept_before_with_what_comes(self) -> None:
        for generation, months in ((1, 15), (2, 15), (3, 14), (4, 14)):
            made(*({months_ago(months)} - set(log_months.standing().months)))
            written(generation=generation, month=months_ago(months))
        assert log_months.trim_months() == 2

        assert generations() == [3, 4]

    def test_keeps_the_last_of_each_kind(self) -> None:
        """What was last known of a path is asked for long after."""
        old, machine = months_ago(13), "leases.lease"
        made(old)
        told = [("record_found", "/A"), ("record_found", "/a"), ("record_found", "/B"), ("fail", None)]
        for generation, (transition, path) in enumerate(
            [*told, ("record_not_found", "/A"), ("fail", None), ("fail", None)], 1
        ):
            evidence = f'{{"path": "{path}"}}' if path else "{}"
            written(generation=generation, month=old, machine=machine, transition=transition, evidence=evidence)

        log_months.trim_months()

        # Of /A the later of two; the last failures are the last entries as well.
        assert generations(machine=machine) == [2, 3, 5, 6, 7]

    def test_keeps_what_is_young_in_a_log_of_before(self) -> None:
        """When the log was parted, all that was there became what is kept, however young."""
        for generation in range(1, 6):
            written(generation=generation, month=KEPT_MONTH, at=months_ago(13 if generation < 4 else 1))

        assert log_months.trim_kept() == 1
        assert generations() == [2, 3, 4, 5]

    def test_knows_no_machine_any_more(self) -> None:
        made(months_ago(13))
        for generation in range(1, 5):
            written(generation=generation, month=months_ago(13), machine="gone.machine")

        assert log_months.trim_months() == 2

    def test_keeps_all_where_that_is_said(self, settings: Any) -> None:
        settings.TRANSITION_LOG_MONTHS = 0
        made(months_ago(100))
        for generation in range(1, 6):
            written(generation=generation, month=months_ago(100))

        assert (log_months.trim_months(), log_months.trim_kept()) == (0, 0)
        assert generations() == [1, 2, 3, 4, 5]

    def test_goes_on_where_it_was_broken_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log_months, "RECORDS_AT_ONCE", 2)
        old = months_ago(20)
        made(old)
        for record in range(5):
            for generation in range(1, 4):
                written(generation=generation, month=old, record=record)

        assert log_months.trim_months(is_time_up=lambda: True) == 2
        assert parts() == {KEPT: 4, log_months._name_of(old): 9}
        assert log_months.trim_months() == 3

        assert parts() == {KEPT: 10}

    def test_finds_nothing_to_do_where_another_was_faster(self, monkeypatch: pytest.MonkeyPatch) -> None:
        old = months_ago(13)
        made(old)
        written(generation=1, month=old)
        before = log_months.standing()
        log_months.trim_months()
        monkeypatch.setattr(log_months, "standing", lambda: before)

        assert log_months.trim_months() == 0
        assert parts() == {KEPT: 1}

    def test_is_told_by_the_command(self, capsys: pytest.CaptureFixture[str]) -> None:
        made(months_ago(13))
        for generation in range(1, 6):
            written(generation=generation, month=months_ago(13))
            written(generation=generation, month=KEPT_MONTH, at=months_ago(50), record=2)

        call_command("trim_log")

        assert "let go of 6 entries" in capsys.readouterr().out
        assert (generations(1), generations(2)) == ([4, 5], [4, 5])

    def test_is_not_told_by_the_command_where_everything_is_kept(
        self, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.TRANSITION_LOG_MONTHS = 0
        made(months_ago(50))
        written(generation=1, month=months_ago(50))

        call_command("trim_log")

        assert "Everything is kept" in capsys.readouterr().out
        assert generations(1) == [1]

    def test_leaves_a_database_that_is_gone_to_who_calls_the_command(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log_months, "trim_months", Mock(side_effect=OperationalError("the connection is lost")))

        with pytest.raises(OperationalError, match="the connection is lost"):
            call_command("trim_log")

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM statemachine_transitionlog",
            f"DELETE FROM {KEPT}",
            "UPDATE statemachine_transitionlog SET reason = 'another'",
            f"UPDATE {KEPT} SET month = '2026-01-01'",
        ],
    )
    def test_is_for_nobody_else(self, statement: str) -> None:
        written(generation=1, month=KEPT_MONTH)

        with pytest.raises(ProgrammingError, match="append-only"), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
class TestWhileOthersWork:
    @pytest.fixture
    def gone(self) -> Iterator[date]:
        """A month that is to come, and has no part."""
        month = months_ago(-2)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {log_months._name_of(month)}")
        yield month
        log_months.make_ahead()

    def test_a_month_waits_for_the_next_time_where_somebody_uses_the_log_for_long(
        self, gone: date, monkeypatch: pytest.MonkeyPatch, redis: Any
    ) -> None:
        monkeypatch.setattr(log_months, "LOCK_S", 0.05)
        other = connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM statemachine_transitionlog")
                assert jobs.attend("transition_log") == "waiting"
                with pytest.raises(CommandError, match=r"Repeat the command\.$"):
                    call_command("trim_log")
        finally:
            other.close()

        assert log_months.standing().ahead == MONTHS_AHEAD - 1
        assert jobs.attend("transition_log") == "attended"
        assert gone in log_months.standing().months

    def test_a_transition_is_logged_once(self) -> None:
        TransitionLog.objects.bulk_create([entry(1)])

        with pytest.raises(DatabaseError, match="record_type_record_id_generation"), transaction.atomic():
            TransitionLog.objects.bulk_create([entry(1)])

    def test_it_is_a_duty_of_every_hour(self) -> None:
        due = duties.named("transition_log")

        assert due is not None
        assert due.every_s() == 3_600


@pytest.mark.matrix  # migrations, both ways
@pytest.mark.django_db(transaction=True)
class TestPartingTheLog:
    """The history of before stays as it is, and a program of the version before goes on writing."""

    AS_BEFORE = """
INSERT INTO statemachine_transitionlog (record_type, record_id, transition, from_state, to_state, generation, actor_kind, actor_id,
    reason, job_id, at, lasted, tries, evidence)
VALUES ('toy.kettle', 1, 'switch_on', 'off', 'heating', %s, 'worker', NULL, '', '', now(), '1 second', 1, '{}') RETURNING id
"""

    @pytest.fixture(autouse=True)
    def parted_again(self) -> Iterator[None]:
        yield
        call_command("migrate", verbosity=0)

    def write(self, generation: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(self.AS_BEFORE, [generation])
            number: int = cursor.fetchone()[0]
        return number

    def test_keeps_every_entry_and_its_number(self) -> None:
        call_command("migrate", "statemachine", "0001", verbosity=0)
        before = [self.write(generation) for generation in (1, 2, 3)]

        call_command("migrate", verbosity=0)
        after = self.write(4)

        assert before == list(range(before[0], before[0] + 3))
        assert after > before[-1]
        assert list(TransitionLog.objects.order_by("pk").values_list("pk", flat=True)) == [*before, after]
        assert parts() == {KEPT: 3, log_months._name_of(months_ago(0)): 1}

    def test_is_taken_back_with_what_was_written_since(self) -> None:
        made(months_ago(13))
        written(generation=1, month=months_ago(13))
        log_months.trim_months()
        numbers = [self.write(generation) for generation in (2, 3)]

        call_command("migrate", "statemachine", "0001", verbosity=0)

        assert self.write(4) > numbers[-1]
        assert generations() == [1, 2, 3, 4]
        with pytest.raises(DatabaseError, match="statemachine_log_once_per_generation"):
            self.write(4)
        with pytest.raises(ProgrammingError, match="append-only"), connection.cursor() as cursor:
            cursor.execute("DELETE FROM statemachine_transitionlog")
