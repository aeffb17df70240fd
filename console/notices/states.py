"""The states of a mail (docs/states.md is drawn from the code)."""

from django.db import models


class NoticeState(models.TextChoices):
    """Of a mail that tells somebody which of their records have failed."""

    GATHERING = "gathering", "Gathering"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    NEEDLESS = "needless", "No longer needed"
    FAILED = "failed", "Failed"
