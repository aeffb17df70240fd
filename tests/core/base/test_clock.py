from datetime import UTC, datetime

import pytest

from core.base.clock import in_utc


@pytest.mark.parametrize(
    ("moment", "instant"),
    [
        ("2026-11-02T08:15:00+16:30", datetime(2026, 11, 1, 15, 45, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-23:59", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_a_moment_of_any_zone_is_one_of_utc(moment: str, instant: datetime) -> None:
    assert in_utc(datetime.fromisoformat(moment)) == instant
