"""`manage.py rqresume`: workers that were suspended go on. django-rq's own wants a queue of the name “default”."""

from typing import Any, override

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from core.base.redis_client import in_words
from statemachine.suspension import resume


class Command(BaseCommand):
    help = "Let the workers of all queues go on that “rqsuspend” has suspended."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            were_suspended = resume()
        except RedisError as error:
            raise CommandError(in_words(error)) from error
        self.stdout.write("The workers go on." if were_suspended else "The workers were not suspended.")
