"""Encrypt every stored token anew, so that an old key can be taken out of the settings."""

import logging
from dataclasses import dataclass
from enum import StrEnum

from django.db import OperationalError, connection, transaction

from cloud.dependants import dependants
from cloud.errors import TokensUnreadable
from cloud.fields import EncryptedTextField
from cloud.models import DropboxAccount
from core.base.database import is_conflict

logger = logging.getLogger(__name__)

# Whoever renews an access token holds the account for as long as Dropbox takes to answer, or does not answer.
WAIT_S = 45
ENCRYPTED = [field.name for field in DropboxAccount._meta.fields if isinstance(field, EncryptedTextField)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What became of the accounts' tokens; people by their login names.

    Attributes:
        unreadable: no key opens theirs.
        busy: somebody held their account for all of `WAIT_S`.
    """

    done: tuple[str, ...]
    unreadable: tuple[str, ...]
    busy: tuple[str, ...]


class _Outcome(StrEnum):
    DONE = "done"
    UNREADABLE = "unreadable"
    BUSY = "busy"


def rotate_token_key() -> Rotation:
    """Encrypt the tokens of all accounts with the first of `TOKEN_ENCRYPTION_KEYS`, each account on its own.

    What cannot be read is left as it is. What failed because a worker could not read what can be read now starts again. Harmless while tokens are renewed, and when it is run twice.

    Raises:
        ImproperlyConfigured: a key is none.
    """
    people = list(DropboxAccount.objects.order_by("pk").values_list("pk", "user__username"))
    outcomes = [(name, _rotate(pk)) for pk, name in people]
    found = {each: tuple(name for name, outcome in outcomes if outcome == each) for each in _Outcome}
    logger.info("tokens encrypted anew: %s", {str(outcome): len(names) for outcome, names in found.items()})
    for each in dependants():
        each.readable_again(found[_Outcome.DONE])
    return Rotation(done=found[_Outcome.DONE], unreadable=found[_Outcome.UNREADABLE], busy=found[_Outcome.BUSY])


def _rotate(pk: int) -> _Outcome | None:
    """None: the person has disconnected meanwhile."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_S * 1000:.0f}ms"])
            # Read under the lock: what a worker has just renewed is what is encrypted anew.
            account = DropboxAccount.objects.select_for_update().only(*ENCRYPTED).filter(pk=pk).first()
            if account is None:
                return None
            account.save(update_fields=ENCRYPTED)
    except TokensUnreadable:
        return _Outcome.UNREADABLE
    except OperationalError as error:
        if not is_conflict(error):
            raise
        return _Outcome.BUSY
    return _Outcome.DONE
