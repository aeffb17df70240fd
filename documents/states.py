"""The states of a document (docs/states.md is drawn from the code)."""

from django.db import models


class State(models.TextChoices):
    """Whether its file is there is no state of a document, but of the file, which the index of storage knows."""

    RECEIVED = "received", "Received"
    PENDING = "pending", "Being verified"
    ACTIVE = "active", "Active"
    ARCHIVED = "archived", "Archived"
    ERROR = "error", "Error"


WORKING = frozenset({State.PENDING})
# The verifying has come to an end.
SETTLED = frozenset({State.ACTIVE, State.ARCHIVED, State.ERROR})
# Whoever wants to add a version to an archived document restores it first.
CHANGEABLE = [State.RECEIVED, State.PENDING, State.ACTIVE, State.ERROR]
