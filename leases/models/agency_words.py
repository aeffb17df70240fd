"""Words by which files call an agency, as somebody has said."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from leases.models.places import Agency


class AgencyWord(models.Model):
    """A word that means an agency in every file, until somebody says otherwise.

    Attributes:
        word: folded, as `leases.agency_words.fold` does it.
    """

    LENGTH = 100

    word = models.CharField(max_length=LENGTH, unique=True)
    agency = models.CharField(max_length=20, choices=Agency)
    said_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    said_at = models.DateTimeField(db_default=Now())

    class Meta:
        # Who may make leases may say what a word in their file means.
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.word}: {self.agency}"
