"""The states of a lease's discovery (docs/states.md is drawn from the code)."""

from django.db import models


class State(models.TextChoices):
    PENDING = "pending", "Pending"
    SEARCHING = "searching", "Searching"
    FOUND = "found", "Directory found"
    NOT_FOUND = "not_found", "Directory not found"
    DETECTING = "detecting", "Detecting report"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


WORKING = frozenset({State.SEARCHING, State.DETECTING})
# Dropbox has answered.
SETTLED = frozenset({State.FOUND, State.NOT_FOUND, State.DONE})
SEARCHABLE = [State.PENDING, State.FOUND, State.NOT_FOUND, State.DONE, State.FAILED]
# In these, it is remembered that the archive is to be made: a search that has failed goes on with it.
MAKING = frozenset({State.SEARCHING, State.FAILED})
DETECTABLE = [State.FOUND, State.DONE, State.FAILED]
