"""That each rule about answers can fail: what each person sees is told, and the history is made up to go against it."""

from dataclasses import replace

import pytest

from tests.chaos.answers import OURS
from tests.chaos.story import TEAM, Act, Configured, Ending, Look, Seen, Story, Taken
from tests.chaos.test_oracle import (
    AGAIN,
    CONFIGURED,
    DETECTED,
    DONE,
    FAILED,
    FOUND,
    FULL_RUN,
    GIVING_UP,
    GOES_ON,
    GOOD,
    KEPT,
    NEGATIVE,
    NOT_FOUND,
    POSITIVE,
    REPORTS,
    RESULT,
    SETTLED,
    STARTED,
    broken,
    later,
    target,
)

STANDS_IN = "nobody's Dropbox stands in for another's"
OUTAGE = "no outage of ours is a lease's failure"
OWED = "a changed base path starts once what it makes doubtful"
ABSENT, IVANS = Seen(look=Look.ABSENT), "Ivan's own space"
HIS_OWN = Seen(look=Look.FOLDER, space=IVANS, reports=("NMNM 1 Ivan Master Documents.pdf",), link=True)
NOT = replace(NOT_FOUND, path=FOUND.path)
PENDING = Ending(state="not_found", number="NMNM 1", generation=3)
IVAN_STARTS = replace(AGAIN, source="done", generation=6)


def answered(*rows: Taken, person: str = "olivia", ending: Ending = DONE, **seen: Seen) -> Story:
    """A lease that this person has made, and what came of it."""
    return replace(GOOD, person=person, target=target("NMNM 1", **seen), taken=(STARTED, *rows), ending=ending)


def run_by(who: str, *rows: Taken, ending: Ending, **seen: Seen) -> Story:
    """What Olivia has found, run once more by another person."""
    return replace(
        GOOD,
        acts=(Act(kind="start", person=who),),
        target=target("NMNM 1", **seen),
        taken=(*FULL_RUN, IVAN_STARTS, *(later(row, 5, person=who) for row in rows)),
        ending=ending,
    )


def failed(code: str, **changes: object) -> Taken:
    return replace(FAILED, tries=1, code=code, path=FOUND.path, **changes)  # type: ignore[arg-type]


def kept(code: str) -> Ending:
    return replace(DONE, state="failed", failure_code=code, generation=8)


class TestNegativeAnswers:
    @pytest.mark.parametrize("look", [Look.FOLDER, Look.PARTIAL, Look.CLOSED, Look.OUT_OF_SIGHT, Look.NO_BASE])
    def test_break_where_the_runner_cannot_tell_or_sees_otherwise(self, look: Look) -> None:
        story = answered(NOT, ending=PENDING, olivia=Seen(look=look))

        assert broken(story) == {NEGATIVE, SETTLED}

    def test_are_right_where_the_runner_sees_all_and_not_that(self) -> None:
        assert broken(answered(NOT, ending=PENDING, olivia=ABSENT)) == set()

    def test_break_where_nobody_can_tell_who_was_asked(self) -> None:
        story = answered(replace(NOT, person=""), ending=PENDING, olivia=ABSENT)

        assert broken(story) == {NEGATIVE, STANDS_IN}

    def test_break_where_another_member_has_seen_it(self) -> None:
        story = run_by("paul", NOT, ending=replace(PENDING, generation=8), paul=ABSENT)

        assert broken(story) == {NEGATIVE, SETTLED}

    def test_break_where_another_member_has_seen_it_before_it_was_looked_for_elsewhere(self) -> None:
        absent = {"person": "paul", "path": "b/NMNM 1", "key": 11}
        elsewhere = [replace(IVAN_STARTS, key=11), later(NOT, 5, **absent)]
        back = replace(IVAN_STARTS, source="not_found", generation=9, key=13)

        def ends(last: Taken, code: str) -> set[str]:
            state = "failed" if code else "not_found"
            story = run_by("paul", ending=replace(PENDING, state=state, failure_code=code, generation=11), paul=ABSENT)
            seen = {**story.target.seen, ("paul", "b"): ABSENT, ("paul", "a"): ABSENT}
            return broken(
                replace(
                    story,
                    acts=(Act(kind="start", person="paul"), Act(kind="start", person="paul")),
                    target=replace(story.target, seen=seen),
                    bases=(
                        Configured(base="a"),
                        Configured(base="b", after=10, surely_after=10),
                        Configured(base="a", after=12, surely_after=12),
                    ),
                    taken=(*FULL_RUN, *elsewhere, back, later(last, 8, person="paul", key=13)),
                )
            )

        assert NEGATIVE in ends(NOT, "")
        assert not {NEGATIVE, SETTLED, GIVING_UP} & ends(failed("archive_out_of_sight"), "archive_out_of_sight")

    def test_break_where_a_report_lies_there(self) -> None:
        story = answered(FOUND, GOES_ON, replace(DETECTED, reports=()), ending=replace(DONE, reports=()))

        assert broken(story) == {NEGATIVE, RESULT}

    def test_break_where_only_a_part_is_seen(self) -> None:
        part = Seen(look=Look.PARTIAL, link=False, shows_all=False)
        story = answered(
            FOUND,
            GOES_ON,
            replace(DETECTED, reports=()),
            ending=replace(DONE, reports=(), link=False, refusal=True),
            olivia=part,
        )

        assert broken(story) == {NEGATIVE, SETTLED}


class TestPositiveAnswers:
    def test_break_where_nothing_is_seen(self) -> None:
        assert POSITIVE in broken(answered(*FULL_RUN[1:], olivia=ABSENT))

    def test_break_where_the_reports_are_others(self) -> None:
        assert POSITIVE in broken(answered(FOUND, GOES_ON, replace(DETECTED, reports=("another.pdf",))))


class TestWhereItIsAsked:
    BASES = (Configured(base="a"), Configured(base="b", after=10, surely_after=12))

    def broken_at(self, key: int, base: str) -> bool:
        row = replace(NOT, key=key, path=f"{base}/NMNM 1")
        story = replace(answered(row, ending=PENDING, olivia=ABSENT), bases=self.BASES)
        return CONFIGURED in broken(story)

    @pytest.mark.parametrize(("key", "base"), [(9, "b"), (10, "b"), (13, "a")])
    def test_breaks_where_another_base_path_was_configured(self, key: int, base: str) -> None:
        assert self.broken_at(key, base)

    @pytest.mark.parametrize(("key", "base"), [(9, "a"), (10, "a"), (11, "a"), (11, "b"), (12, "a"), (13, "b")])
    def test_is_right_where_it_may_have_been(self, key: int, base: str) -> None:
        assert not self.broken_at(key, base)


class TestWhoIsAsked:
    def test_breaks_where_it_is_another_than_started_it(self) -> None:
        story = answered(NOT, person="paul", ending=PENDING, olivia=ABSENT, paul=ABSENT)

        assert broken(story) == {STANDS_IN}


class TestKeeping:
    def test_is_right_where_who_cannot_judge_fails_and_all_stays(self) -> None:
        story = run_by("ivan", failed("another_folder"), ending=kept("another_folder"), ivan=HIS_OWN)

        assert broken(story) == set()

    def test_is_right_where_a_member_who_was_kept_from_it_fails(self) -> None:
        story = run_by("paul", failed("archive_out_of_sight"), ending=kept("archive_out_of_sight"), paul=ABSENT)

        assert broken(story) == set()

    @pytest.mark.parametrize(
        "changes", [{"path": ""}, {"reports": ()}, {"known_person": "ivan"}, {"known_base": "b"}, {"link_space": IVANS}]
    )
    def test_breaks_where_something_is_lost(self, changes: dict[str, object]) -> None:
        ending = replace(kept("another_folder"), **changes)  # type: ignore[arg-type]
        story = run_by("ivan", failed("another_folder"), ending=ending, ivan=HIS_OWN)

        assert broken(story) == {KEPT}

    def test_breaks_where_another_folder_takes_its_place(self) -> None:
        found = replace(DETECTED, reports=HIS_OWN.reports)
        ending = replace(DONE, generation=10, reports=HIS_OWN.reports, known_person="ivan")
        story = run_by("ivan", FOUND, GOES_ON, found, ending=ending, ivan=HIS_OWN)

        assert broken(story) == {KEPT, SETTLED}

    def test_is_right_where_a_member_sees_the_same(self) -> None:
        ending = replace(DONE, generation=10, known_person="paul", link_space=TEAM)

        assert broken(run_by("paul", *FULL_RUN[1:], ending=ending)) == set()


class TestWhoSeesAPart:
    """Paul does, of what Olivia has seen as a whole; then the archives lie elsewhere for a while."""

    PART = Seen(look=Look.PARTIAL, shows_all=False, reports=REPORTS, link=True)

    def broken_at_last(self, known_person: str, *, tells_witness: bool) -> set[str]:
        def run(generation: int, key: int, base: str, *, tells: bool = True) -> tuple[Taken, ...]:
            seen = {"person": "paul", "path": f"{base}/NMNM 1", "key": key, "tells_witness": tells}
            return (
                replace(IVAN_STARTS, generation=generation, key=key),
                *(later(row, generation - 1, **seen) for row in (FOUND, replace(GOES_ON, path=""), DETECTED)),
            )

        part = run_by("paul", ending=replace(DONE, generation=20, known_person=known_person), paul=self.PART)
        return broken(
            replace(
                part,
                acts=(Act(kind="start", person="paul"),) * 3,
                bases=(
                    Configured(base="a"),
                    Configured(base="b", after=10, surely_after=10),
                    Configured(base="a", after=12, surely_after=12),
                ),
                target=replace(
                    part.target, seen={**part.target.seen, ("paul", "a"): self.PART, ("paul", "b"): self.PART}
                ),
                taken=(*FULL_RUN, *run(6, 9, "a", tells=tells_witness), *run(11, 11, "b"), *run(16, 13, "a")),
            )
        )

    @pytest.mark.parametrize(("known_person", "tells_witness"), [("olivia", True), ("paul", False)])
    def test_is_right_where_the_log_is_believed(self, known_person: str, *, tells_witness: bool) -> None:
        assert KEPT not in self.broken_at_last(known_person, tells_witness=tells_witness)

    @pytest.mark.parametrize(("known_person", "tells_witness"), [("paul", True), ("olivia", False)])
    def test_breaks_where_it_is_not(self, known_person: str, *, tells_witness: bool) -> None:
        assert KEPT in self.broken_at_last(known_person, tells_witness=tells_witness)


class TestFailing:
    def test_breaks_where_the_runner_sees_it(self) -> None:
        story = answered(
            failed("base_path_missing", person="olivia"),
            ending=replace(PENDING, state="failed", failure_code="base_path_missing"),
        )

        assert broken(story) == {GIVING_UP, SETTLED}

    ELSEWHERE = replace(FAILED, source="detecting", tries=1, code="directory_elsewhere", path=FOUND.path, key=11)

    def test_is_right_where_the_base_path_was_changed_since_the_search(self) -> None:
        story = replace(GOOD, taken=(*FULL_RUN[:3], self.ELSEWHERE), bases=TestWhereItIsAsked.BASES)

        assert GIVING_UP not in broken(story)

    def test_breaks_where_it_was_not(self) -> None:
        assert GIVING_UP in broken(replace(GOOD, taken=(*FULL_RUN[:3], self.ELSEWHERE)))

    def test_breaks_where_nobody_can_tell_who_sees_nothing(self) -> None:
        story = answered(
            failed("base_path_missing"),
            ending=replace(PENDING, state="failed", failure_code="base_path_missing"),
            olivia=Seen(look=Look.NO_BASE),
        )

        assert broken(story) == {GIVING_UP}

    @pytest.mark.parametrize("code", sorted(OURS))
    def test_breaks_for_an_outage_of_ours(self, code: str) -> None:
        story = answered(failed(code), ending=replace(PENDING, state="failed", failure_code=code))

        assert broken(story) == {OUTAGE, SETTLED}

    @pytest.mark.parametrize("code", sorted(OURS))
    def test_breaks_for_one_that_has_been_run_again_since(self, code: str) -> None:
        rows = (failed(code), replace(AGAIN, generation=4), *(later(row, 3) for row in FULL_RUN[1:]))
        story = replace(answered(*rows, ending=replace(DONE, generation=8)), acts=(Act(kind="start", person="olivia"),))

        assert broken(story) == {OUTAGE}


class TestStartingForAConfiguration:
    BY_ITSELF = replace(
        AGAIN,
        source="done",
        by="reconciler",
        generation=6,
        key=11,
        reason="the folder of the archives of BLM was changed",
    )
    STORY = replace(
        GOOD,
        bases=(Configured(base="b"), Configured(base="a", after=0, surely_after=0)),
        taken=(*FULL_RUN, BY_ITSELF, *(later(row, 5, key=12) for row in FULL_RUN[1:])),
        ending=replace(DONE, generation=10),
    )

    def test_is_right_once_for_each(self) -> None:
        assert OWED not in broken(self.STORY)

    def test_breaks_where_nothing_was_changed(self) -> None:
        assert broken(replace(self.STORY, bases=GOOD.bases)) == {OWED}

    def test_breaks_where_it_starts_twice_for_one(self) -> None:
        third = tuple(later(row, 5, key=13) for row in self.STORY.taken[4:])

        assert OWED in broken(replace(self.STORY, taken=(*self.STORY.taken, *third)))
