"""Programs that ask at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection

from statemachine.models import TransitionLog
from tests.factories import location, settled
from tests.leases.api.conftest import Program, at

pytestmark = pytest.mark.django_db(transaction=True)


class TestManyAtOnce:
    def test_one_of_several_that_run_and_stop_wins_each_time(self, olivia: User) -> None:
        """Each answer is one that somebody can act by, and the history is whole."""
        lease = settled(olivia, state="done", runsheet_directory=location())
        programs = [Program(olivia) for _ in range(6)]
        barrier = Barrier(len(programs))

        def ask(at_place: tuple[int, Program]) -> int:
            place, program = at_place
            barrier.wait()
            try:
                return int(program.post(f"leases/{lease.pk}/{'stop' if place % 2 else 'run'}/").status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(programs)) as pool:
            came = list(pool.map(ask, enumerate(programs)))

        assert set(came) <= {200, 202, 409}
        ran, stopped = came.count(202), came.count(200)
        assert ran - stopped in {0, 1}
        generations = list(TransitionLog.objects.of(lease).values_list("generation", flat=True))
        assert len(set(generations)) == len(generations) == ran + stopped

    def test_of_two_who_change_the_same_version_one_is_told(self, olivia: User) -> None:
        lease = settled(olivia)
        programs = [Program(olivia) for _ in range(2)]
        had = programs[0].version_of(at(lease))
        barrier = Barrier(2)

        def change(at_place: tuple[int, Program]) -> int:
            place, program = at_place
            barrier.wait()
            try:
                return int(program.send("PATCH", at(lease), {"number": f"NEW {place}"}, If_Match=had).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(change, enumerate(programs))) == [200, 412]
