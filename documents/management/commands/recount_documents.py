"""`manage.py recount_documents`: count anew how much room documents take."""

from typing import Any, override

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from core.base.database import in_words
from documents.services import usage

HELP = """Counts anew how much room the documents of each person and agency take, and puts right what is wrong. Uploads wait meanwhile,
for seconds at most. It is also done once a week by itself."""


class Command(BaseCommand):
    """In this process, at once."""

    help = HELP

    @override
    def handle(self, **_options: Any) -> None:
        try:
            wrong = usage.recount()
        except Error as error:
            raise CommandError(in_words(error), returncode=2) from error
        number = "1 was wrong and has" if wrong == 1 else f"{wrong:,} were wrong and have"
        self.stdout.write(f"{number} been put right." if wrong else "All were right.")
