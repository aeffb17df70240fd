"""That what the plan believes each person to see is what the stand-in shows to them."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud.dropbox import Gateway, gateway_for
from cloud.errors import NotFound
from cloud.services.accounts import connect_account
from tests.chaos.plan import SHORT, Plan, make_plan
from tests.chaos.story import Look, Seen
from tests.chaos.world import BASES, PEOPLE, SIGHTS

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


def shown(gateway: Gateway, base: str, number: str) -> tuple[Look, tuple[str, ...]]:
    """What Dropbox tells, taken as it should be."""
    path = f"{base}/{number}"
    try:
        above = gateway.metadata(path=base)
    except NotFound:
        return Look.NO_BASE, ()
    try:
        folder = gateway.metadata(path=path)
    except NotFound:
        return Look.OUT_OF_SIGHT if above.is_partial else Look.ABSENT, ()
    if folder.no_access:
        return Look.OUT_OF_SIGHT if above.is_partial else Look.CLOSED, ()
    names = tuple(entry.name for entry in gateway.list_directory(path=path).entries if "Master" in entry.name)
    return (Look.PARTIAL if folder.is_partial else Look.FOLDER), names


class TestWorld:
    @pytest.fixture(params=SIGHTS)
    def plan(self, request: pytest.FixtureRequest) -> Plan:
        """One in which Paul sees so much of the second base folder."""
        plans = (make_plan(seed=seed, profile=SHORT) for seed in range(100))
        return next(plan for plan in plans if plan.world.kept_base == request.param)

    def test_is_what_dropbox_shows(self, plan: Plan, dropbox: "Standin", django_user_model: type[User]) -> None:
        aims = [lease.aim for lease in plan.leases][:20]
        dropbox.reset(seed=plan.world.seed(aims))
        for name in PEOPLE:
            person = django_user_model.objects.create_superuser(name)
            connect_account(user=person, refresh_token=f"standin-refresh-{name}")
            gateway = gateway_for(person)
            for aim in aims:
                for base in BASES[aim.agency]:
                    seen: Seen = plan.world.seen(aim, name, base)
                    assert shown(gateway, base, aim.number) == (seen.look, seen.reports), (name, base, aim)
