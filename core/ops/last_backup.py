"""When the last backup was made, so that somebody is told where none is made any more."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import Error, ProgrammingError
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.base.database import is_not_migrated
from core.models import LastBackup

logger = logging.getLogger(__name__)

# Where there is one each night, a night without one is noticed in the morning.
LATE_AFTER = timedelta(hours=30)


def note(backup_id: str, *, made_at: datetime) -> None:
    """Note that it was made, or is what was restored. Where `migrate` is still to run, it is a backup all the same."""
    try:
        LastBackup.objects.update_or_create(pk=LastBackup.ONLY, defaults={"backup": backup_id, "made_at": made_at})
    except ProgrammingError as error:
        if not is_not_migrated(error):
            raise
        logger.warning("backup: nobody is told when it was made, since the database lacks tables")


def last_made_at() -> datetime | None:
    """Of which moment it is; None: no backup is known.

    Raises:
        Error: the database does not answer.
    """
    return LastBackup.objects.values_list("made_at", flat=True).first()


class BackupCollector(Collector):
    """For prometheus_client: of which moment the last backup is. Where none was ever made it tells nothing."""

    def collect(self) -> Iterator[Metric]:
        try:
            made_at = last_made_at()
        except Error:
            return  # `runsheet_up` says so
        if made_at:
            yield GaugeMetricFamily(
                "runsheet_last_backup_timestamp_seconds",
                "Of which moment the last backup is.",
                value=made_at.timestamp(),
            )
