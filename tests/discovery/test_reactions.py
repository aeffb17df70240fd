"""What discovery's settings say of its work, the engine is told."""

import pytest
from django.conf import settings

from leases.models import Lease
from statemachine.reactions import Reaction, reactions_of


class TestReactions:
    @pytest.mark.parametrize("found", reactions_of(Lease), ids=lambda found: found.state)
    def test_have_the_queue_and_the_limits_of_the_settings(self, found: Reaction) -> None:
        limits = found.limits

        assert found.queue == settings.DISCOVERY_QUEUE
        assert (limits.soft_s, limits.hard_s) == (
            settings.DISCOVERY_SOFT_TIME_LIMIT_S,
            settings.DISCOVERY_TIME_LIMIT_S,
        )
