"""That a seed says everything, and that a plan leaves every lease a way to its right end."""

from itertools import pairwise

import pytest

from tests.chaos.plan import LONG, ON_ONE_MACHINE, PROFILES, SHORT, Deed, Plan, Profile, make_plan
from tests.chaos.story import Look
from tests.chaos.world import BASES, BLM, IVAN, IVANS, OLIVIA, PAUL, PEOPLE


@pytest.fixture(params=list(PROFILES.values()), ids=list(PROFILES))
def profile(request: pytest.FixtureRequest) -> Profile:
    found: Profile = request.param
    return found


class TestMakePlan:
    def test_is_the_same_for_the_same_seed(self) -> None:
        assert make_plan(seed=7, profile=LONG) == make_plan(seed=7, profile=LONG)

    def test_is_another_for_another_seed(self) -> None:
        assert make_plan(seed=7, profile=LONG) != make_plan(seed=8, profile=LONG)

    @pytest.mark.parametrize("seed", range(5))
    def test_leaves_tries_for_the_blows(self, profile: Profile, seed: int) -> None:
        plan = make_plan(seed=seed, profile=profile)

        assert max(len(lease.troubles) for lease in plan.leases) <= 2

    @pytest.mark.parametrize("seed", range(5))
    def test_gives_no_number_twice(self, profile: Profile, seed: int) -> None:
        numbers = self.numbers(make_plan(seed=seed, profile=profile))

        assert len(numbers) == len(set(numbers))

    @pytest.mark.parametrize("seed", range(5))
    def test_keeps_the_clocks_together_and_one_of_them_wrong(self, seed: int) -> None:
        plan = make_plan(seed=seed, profile=LONG)

        skews = (*plan.skews_s, *plan.reconciler_skews_s)
        assert max(skews) - min(skews) <= 8
        assert all(max(map(abs, each)) == 4 for each in (plan.skews_s, plan.reconciler_skews_s))

    def test_has_every_blow_and_every_deed_also_when_it_is_short(self) -> None:
        plan = make_plan(seed=3, profile=SHORT)

        assert {each.blow for each in plan.blows} == set(ON_ONE_MACHINE)
        assert {each.deed for each in plan.leases} == {None, *Deed}
        assert {each.made_by for each in plan.leases} == {"service", "bulk_create", "SQL"}

    @pytest.mark.parametrize("seed", range(5))
    def test_changes_the_base_path_to_another_each_time(self, profile: Profile, seed: int) -> None:
        plan = make_plan(seed=seed, profile=profile)

        bases = [BASES[BLM][0], *(each.base for each in plan.changes)]
        assert all(before != after for before, after in pairwise(bases))
        assert len(plan.changes) >= len(profile.changes) - 1

    @pytest.mark.parametrize("seed", range(5))
    def test_lets_each_person_see_something_else(self, seed: int) -> None:
        plan = make_plan(seed=seed, profile=LONG)

        seen = {who: [plan.world.seen(each.aim, who, each.aim.base) for each in plan.leases] for who in PEOPLE}
        assert {each.look for each in seen[OLIVIA]} == {Look.FOLDER, Look.ABSENT}
        assert {each.look for each in seen[PAUL]} == {Look.FOLDER, Look.PARTIAL, Look.CLOSED, Look.ABSENT}
        assert {each.space for each in seen[IVAN]} == {IVANS}
        assert len({each.person for each in plan.leases}) == len(PEOPLE)
        assert all(each.other_person != each.person for each in plan.leases)

    def numbers(self, plan: Plan) -> list[str]:
        return [aim.number for lease in plan.leases for aim in (lease.aim, lease.new_aim) if aim]
