"""`manage.py trim_log`: let go at once of what of the transition log's old months is not to be kept."""

from typing import Any, override

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from core.base.database import is_conflict
from statemachine import log_months


class Command(BaseCommand):
    help = (
        "Let go of what of the transition log's old months is not to be kept. The workers do so by themselves, of what "
        "becomes old; this looks through all of it, as after TRANSITION_LOG_ENTRIES was lowered."
    )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        oldest = log_months.oldest_whole()
        if oldest is None:
            self.stdout.write("Everything is kept, since TRANSITION_LOG_MONTHS is 0.")
            return
        try:
            log_months.make_ahead()
            count = log_months.trim_months() + log_months.trim_kept()
        except OperationalError as error:
            if not is_conflict(error):
                raise
            raise CommandError(
                "Somebody uses the history for longer than others can wait. Repeat the command."
            ) from error
        self.stdout.write(
            f"Everything since {oldest} is kept; of what is older, the last {settings.TRANSITION_LOG_ENTRIES:,} entries of each "
            f"record, and the last of each kind: let go of {count:,} entr{'y' if count == 1 else 'ies'}."
        )
