"""That each rule can fail: histories made up to break it, and only it where that is possible."""

from dataclasses import replace

import pytest

from tests.chaos.calls import LINK, LIST, Asked, Cost
from tests.chaos.oracle import FEW_CALLS, FEW_TRIES, SEARCHED_FIRST, judge
from tests.chaos.story import Act, Configured, Ending, Look, Seen, Story, Taken, Target

SETTLED = "every lease is settled in the right state"
RESULT = "every lease has its result"
DIAGRAM = "every history is a path of the diagram"
ONCE = "nothing is done twice"
PEOPLE = "only people start and stop again"
GENERATIONS = "generations rise"
APART = "no result of one number on another"
GIVING_UP = "nobody gives up too soon"
KEPT = "what one account has seen stays"
CONFIGURED = "no answer for another base path than was configured"
POSITIVE = "no positive answer that it did not justify"
NEGATIVE = "no negative answer that the tree, as the runner sees it, did not justify"


def target(number: str, **seen: Seen) -> Target:
    """What Olivia sees of it under the base path; others see the same unless told."""
    report = Seen(look=Look.FOLDER, reports=(f"{number} Master Documents.pdf",), link=True)
    return Target(
        number=number,
        seen={
            (who, base): seen.get(who, seen.get("all", report)) for who in ("olivia", "paul", "ivan") for base in "ab"
        },
    )


ABSENT = Seen(look=Look.ABSENT)
ONE, TWO = target("NMNM 1"), target("NMNM 2")
GONE = target("NMNM 3", all=ABSENT)
REPORTS = ("NMNM 1 Master Documents.pdf",)

STARTED = Taken(transition="start_search", source="pending", target="searching", generation=1, by="reconciler")
FOUND = Taken(
    transition="record_found",
    source="searching",
    target="found",
    generation=3,
    by="worker",
    path="a/NMNM 1",
    person="olivia",
    link="created",
)
GOES_ON = Taken(transition="start_detection", source="found", target="detecting", generation=4, by="worker")
DETECTED = Taken(
    transition="record_detection",
    source="detecting",
    target="done",
    generation=5,
    by="worker",
    path="a/NMNM 1",
    person="olivia",
    reports=REPORTS,
)
CANCELLED = Taken(transition="cancel", source="searching", target="pending", generation=3, by="user")
FAILED = Taken(transition="fail", source="searching", target="failed", generation=3, by="worker", tries=5)
AGAIN = Taken(transition="start_search", source="failed", target="searching", generation=4, by="user")
EDITED = Taken(
    transition="start_search", source="done", target="searching", generation=6, by="user", reason="changed from BLM 1"
)
FULL_RUN = (STARTED, FOUND, GOES_ON, DETECTED)
DONE = Ending(
    state="done",
    number="NMNM 1",
    generation=5,
    path="a/NMNM 1",
    reports=REPORTS,
    link=True,
    known_person="olivia",
    known_base="a",
)
GOOD = Story(lease=1, person="olivia", target=ONE, bases=(Configured(base="a"),), taken=FULL_RUN, ending=DONE)
CALLS = (Asked(seq=1, route=LIST, path="a/NMNM 1", status=200), Asked(seq=2, route=LINK, path="a/nmnm 1", status=200))


def later(row: Taken, by: int, **changes: object) -> Taken:
    return replace(row, generation=row.generation + by, **changes)  # type: ignore[arg-type]


def elsewhere(row: Taken, number: str) -> Taken:
    """The same of another number."""
    reports = tuple(name.replace("NMNM 1", number) for name in row.reports)
    return replace(row, path=row.path.replace("NMNM 1", number), reports=reports)


# Found and edited; then the second number's own run.
SECOND_RUN = tuple(
    elsewhere(later(row, 5), "NMNM 2") for row in (replace(EDITED, generation=1), FOUND, GOES_ON, DETECTED)
)
CHANGED = replace(
    GOOD,
    acts=(Act(kind="edit", person="olivia", target=TWO),),
    taken=FULL_RUN + SECOND_RUN,
    ending=replace(DONE, number="NMNM 2", generation=10, path="a/NMNM 2", reports=SECOND_RUN[-1].reports),
)
STOPPED = replace(
    GOOD,
    acts=(Act(kind="cancel"),),
    taken=(STARTED, CANCELLED),
    ending=Ending(state="pending", number="NMNM 1", generation=3),
)
RUN_AGAIN = replace(
    GOOD,
    acts=(Act(kind="start", person="olivia"),),
    taken=(STARTED, FAILED, AGAIN, *(later(row, 3) for row in FULL_RUN[1:])),
    ending=replace(DONE, generation=8),
)
NOT_FOUND = replace(elsewhere(FOUND, "NMNM 3"), transition="record_not_found", target="not_found", link="")
NOT_THERE = replace(
    GOOD,
    target=GONE,
    taken=(STARTED, NOT_FOUND),
    ending=Ending(state="not_found", number="NMNM 3", generation=3),
)


SOME = Cost(kills=10)


def broken(story: Story) -> set[str]:
    """The rules that a lease's story breaks."""
    return {violation.rule for violation in judge([story], (), cost=SOME) if violation.lease}


def ending(**changes: object) -> Story:
    return replace(GOOD, ending=replace(DONE, **changes))  # type: ignore[arg-type]


class TestRightStories:
    @pytest.mark.parametrize(
        "story",
        [GOOD, CHANGED, STOPPED, RUN_AGAIN, NOT_THERE],
        ids=["found", "edited", "stopped", "run again", "not found"],
    )
    def test_break_nothing(self, story: Story) -> None:
        assert broken(story) == set()

    def test_of_a_lease_edited_while_a_worker_was_at_it_have_the_stop_in_the_log(self) -> None:
        edit = replace(EDITED, source="pending", generation=4)
        rest = SECOND_RUN[1:]

        assert broken(replace(CHANGED, taken=(STARTED, CANCELLED, edit, *rest))) == set()


class TestSettled:
    def test_breaks_where_work_is_still_owed(self) -> None:
        assert broken(ending(owed=True)) == {SETTLED}

    def test_breaks_where_the_result_is_another(self) -> None:
        assert broken(replace(NOT_THERE, target=replace(ONE, number="NMNM 3"))) == {SETTLED, NEGATIVE}

    def test_breaks_where_a_failure_stayed(self) -> None:
        story = replace(GOOD, taken=(STARTED, FAILED), ending=replace(DONE, state="failed", path="", reports=()))

        assert broken(story) == {SETTLED}

    def test_breaks_where_a_stopped_lease_went_on(self) -> None:
        story = replace(CHANGED, acts=(*CHANGED.acts, Act(kind="cancel")))

        assert SETTLED in broken(story)


class TestResult:
    def test_breaks_where_a_report_is_missing(self) -> None:
        assert broken(ending(reports=())) == {RESULT, KEPT}

    @pytest.mark.parametrize("changes", [{"link": False}, {"refusal": True, "link": False}])
    def test_breaks_where_something_is_missing_or_wrong(self, changes: dict[str, object]) -> None:
        assert broken(ending(**changes)) == {RESULT}

    def test_breaks_where_an_edit_was_lost(self) -> None:
        story = replace(CHANGED, ending=replace(CHANGED.ending, number="NMNM 1"))

        assert broken(story) == {RESULT}


class TestDiagram:
    def test_breaks_where_an_edge_does_not_exist(self) -> None:
        shortcut = replace(DETECTED, source="searching", generation=3)

        assert broken(replace(GOOD, taken=(STARTED, shortcut))) == {DIAGRAM}

    def test_breaks_where_a_transition_leads_elsewhere(self) -> None:
        assert DIAGRAM in broken(replace(GOOD, taken=(*FULL_RUN[:3], replace(DETECTED, target="found"))))

    def test_breaks_where_a_transition_is_unknown(self) -> None:
        assert broken(replace(GOOD, taken=(*FULL_RUN[:3], replace(DETECTED, transition="guess")))) == {DIAGRAM, KEPT}

    def test_breaks_where_a_row_is_missing(self) -> None:
        assert broken(replace(GOOD, taken=(STARTED, GOES_ON, DETECTED))) == {DIAGRAM}

    def test_breaks_where_the_log_ends_elsewhere(self) -> None:
        assert broken(replace(GOOD, taken=FULL_RUN[:3])) == {DIAGRAM, KEPT}


class TestOnce:
    def test_breaks_where_a_search_is_repeated_by_itself(self) -> None:
        again = replace(AGAIN, source="done", by="reconciler", generation=6)
        twice = (*FULL_RUN, again, *(later(row, 5) for row in FULL_RUN[1:]))

        assert broken(replace(GOOD, taken=twice, ending=replace(DONE, generation=10))) == {ONCE}


class TestPeople:
    def test_breaks_where_nobody_started_it_again(self) -> None:
        assert broken(replace(RUN_AGAIN, acts=())) == {PEOPLE}

    def test_breaks_where_what_somebody_did_was_lost(self) -> None:
        assert broken(replace(GOOD, acts=(Act(kind="start", person="olivia"),))) == {PEOPLE}


class TestGenerations:
    def test_breaks_where_one_is_given_twice(self) -> None:
        story = replace(GOOD, taken=(STARTED, replace(FOUND, generation=1), GOES_ON, DETECTED))

        assert broken(story) == {GENERATIONS}

    def test_breaks_where_the_row_is_behind_its_log(self) -> None:
        assert broken(ending(generation=4)) == {GENERATIONS}


class TestApart:
    def test_breaks_where_a_late_answer_is_written_after_the_edit(self) -> None:
        found_late = replace(SECOND_RUN[1], path=FOUND.path)
        story = replace(CHANGED, taken=(*FULL_RUN, SECOND_RUN[0], found_late, *SECOND_RUN[2:]))

        assert broken(story) == {APART}

    def test_breaks_where_nobody_can_tell_what_was_asked(self) -> None:
        assert broken(replace(GOOD, taken=(STARTED, replace(FOUND, path=""), GOES_ON, DETECTED))) == {
            APART,
            CONFIGURED,
            POSITIVE,
        }

    def test_breaks_where_the_directory_is_another_numbers(self) -> None:
        assert broken(replace(CHANGED, ending=replace(CHANGED.ending, path=FOUND.path))) == {APART, KEPT}

    def test_breaks_where_the_reports_are_another_numbers(self) -> None:
        assert APART in broken(ending(reports=SECOND_RUN[-1].reports))


class TestGivingUp:
    def test_breaks_where_tries_were_left(self) -> None:
        story = replace(RUN_AGAIN, taken=(STARTED, replace(FAILED, tries=4), *RUN_AGAIN.taken[2:]))

        assert broken(story) == {GIVING_UP}


class TestCalls:
    def rules(self, *calls: Asked, hits: int = 0, other_calls: int = 0, story: Story = GOOD) -> set[str]:
        cost = Cost(hits=hits, other_calls=other_calls)
        return {violation.rule for violation in judge([story], calls, cost=cost)}

    def test_of_the_ideal_break_nothing(self) -> None:
        assert self.rules(*CALLS) == set()

    def test_break_where_a_link_comes_before_the_listing(self) -> None:
        assert self.rules(replace(CALLS[1], seq=0), CALLS[0]) == {SEARCHED_FIRST}

    @pytest.mark.parametrize("status", [409, None])
    def test_break_where_the_listing_was_no_success(self, status: int | None) -> None:
        assert self.rules(replace(CALLS[0], status=status), CALLS[1]) == {SEARCHED_FIRST}

    def test_break_where_the_link_is_to_another_path(self) -> None:
        assert self.rules(CALLS[0], replace(CALLS[1], path="/a")) == {SEARCHED_FIRST}

    def test_break_where_one_is_too_many(self) -> None:
        assert self.rules(*CALLS, replace(CALLS[1], seq=3)) == {FEW_CALLS}

    def test_may_be_one_more_for_each_that_dropbox_spoiled(self) -> None:
        assert self.rules(Asked(seq=0, route=LIST, path="a/NMNM 1", status=503, fault="status"), *CALLS) == set()

    def test_may_be_one_more_for_each_worker_that_was_hit(self) -> None:
        assert self.rules(*CALLS, replace(CALLS[0], seq=3), hits=1) == set()

    def test_may_be_those_that_are_no_leases(self) -> None:
        assert self.rules(Asked(seq=0, route="oauth2/token", path="", status=200), *CALLS, other_calls=1) == set()

    def test_of_many_leases_may_be_a_tenth_more(self) -> None:
        ten = [replace(GOOD, lease=each) for each in range(10)]
        calls = [replace(call, seq=seq) for seq, call in enumerate(CALLS * 11)]

        assert judge(ten, calls, cost=Cost()) == []
        assert [each.rule for each in judge(ten, [*calls, CALLS[1]], cost=Cost())] == [FEW_CALLS]

    def test_may_be_one_more_where_the_listing_tells_too_little(self) -> None:
        empty = target("NMNM 1", all=Seen(look=Look.FOLDER, link=True, shows_all=False))
        story = replace(
            GOOD,
            target=empty,
            taken=(*FULL_RUN[:3], replace(DETECTED, reports=())),
            ending=replace(DONE, reports=()),
        )

        assert self.rules(*CALLS, replace(CALLS[0], seq=3), story=story) == set()

    def test_break_where_a_link_is_asked_for_that_is_believed(self) -> None:
        story = replace(GOOD, taken=(STARTED, replace(FOUND, link="stored"), *FULL_RUN[2:]))

        assert self.rules(*CALLS, story=story) == {FEW_CALLS}


class TestTries:
    TWICE = replace(GOOD, taken=(STARTED, replace(FOUND, tries=2), *FULL_RUN[2:]))

    def rules(self, *calls: Asked, kills: int = 0) -> set[str]:
        return {each.rule for each in judge([self.TWICE], calls, cost=Cost(hits=9, kills=kills))}

    def test_break_where_nothing_cost_one(self) -> None:
        assert self.rules(*CALLS) == {FEW_TRIES}

    def test_may_be_one_more_for_each_worker_that_was_killed(self) -> None:
        assert self.rules(*CALLS, kills=1) == set()

    def test_may_be_one_more_for_each_call_that_dropbox_spoiled(self) -> None:
        assert self.rules(replace(CALLS[0], seq=0, status=503, fault="status"), *CALLS) == set()
