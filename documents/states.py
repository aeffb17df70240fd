"""The states of a document (docs/states.md is drawn from the code)."""

from django.db import models


class State(models.TextChoices):
    """Whether its file is there is no state of a document, but of the file, which the index of storage knows."""

    RECEIVED = "received", "Received"
    PENDING = "pending", "Being verified"
    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    ERROR = "error", "Error"


class LinkState(models.TextChoices):
    """How it stands with a link to a document; none of it is written down."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    REVOKED = "revoked", "Revoked"
    EXPIRED = "expired", "Expired"
    USED_UP = "used_up", "Used up"


class Suspended(models.TextChoices):
    """Why a link opens nothing at present, beside what the state of its document says."""

    FILE_MISSING = "file_missing", "Its file is not in storage"
    MAKER = "maker", "Who made it may not share the document any more"


WORKING = frozenset({State.PENDING})
# The verifying has come to an end.
SETTLED = frozenset({State.ACTIVE, State.ARCHIVED, State.ERROR})
# Whoever wants to add a version to an archived document restores it first.
CHANGEABLE = [State.RECEIVED, State.PENDING, State.ACTIVE, State.ERROR]
