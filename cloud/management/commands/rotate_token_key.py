"""`manage.py rotate_token_key`: the step between adding a new encryption key and taking the old one away."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from cloud.services.key_rotation import Rotation, rotate_token_key


class Command(BaseCommand):
    help = (
        "Encrypt all stored Dropbox tokens with the first of TOKEN_ENCRYPTION_KEYS. Add the new key in front and restart "
        "everything first; take the old keys away afterwards. Exit code 1 if any account was left as it was."
    )

    def handle(self, **options: Any) -> None:
        try:
            rotation = rotate_token_key()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{_accounts(len(rotation.done))} encrypted with the first of TOKEN_ENCRYPTION_KEYS.")
        if left := "\n".join(_left(rotation)):
            raise CommandError(left)
        if len(settings.TOKEN_ENCRYPTION_KEYS) > 1:
            self.stdout.write("The other keys are needed no more.")


def _accounts(count: int) -> str:
    return "The tokens of 1 account are" if count == 1 else f"The tokens of {count} accounts are"


def _left(rotation: Rotation) -> list[str]:
    sentences = []
    if rotation.unreadable:
        sentences.append(
            f"No key opens the tokens of {', '.join(rotation.unreadable)}. Add the key that they were encrypted with, or "
            "let these people connect Dropbox again."
        )
    if rotation.busy:
        sentences.append(f"In use all the time: the tokens of {', '.join(rotation.busy)}. Run this again.")
    return sentences
