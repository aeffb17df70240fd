"""`manage.py rqsuspend`: workers begin nothing new. django-rq's own wants a queue of the name “default”."""

from typing import Any, override

from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError

from core.base.redis_client import in_words
from statemachine.suspension import suspend


class Command(BaseCommand):
    help = "Let the workers of all queues begin nothing new until “rqresume”. What they are at is ended, and nothing is lost."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            suspend()
        except RedisError as error:
            raise CommandError(in_words(error)) from error
        self.stdout.write("The workers begin nothing new. To let them go on: python manage.py rqresume")
