"""What the known result of a lease was asked of, so that nobody takes an answer for that to another question."""

from dataclasses import dataclass

from django.db import models

from leases.validation import BASE_PATH_LENGTH

ACCOUNT_LENGTH = 40
NAMESPACE_LENGTH = 40
FOLDER_ID_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whom an answer came from, and of what it speaks; empty is what nobody told.

    Attributes:
        base_path: the agency's folder, as it was configured when it was asked.
        account: the cloud's own name of the account that was asked.
        path_root: where that account's paths begin.
        namespace: the shared folder in which the archive lies; empty where it lies in none.
        folder_id: the cloud's lasting name of the archive; empty when there is none.
    """

    base_path: str = ""
    account: str = ""
    path_root: str = ""
    namespace: str = ""
    folder_id: str = ""


NOBODY = Origin()


class KnownResult(models.Model):
    """The columns of a record that say what its result was asked of.

    Attributes:
        report_folder_id: the folder in which a report was looked for; it may be another one than the present directory.
    """

    known_base_path = models.CharField(max_length=BASE_PATH_LENGTH, default="", db_default="", editable=False)
    known_account = models.CharField(max_length=ACCOUNT_LENGTH, default="", db_default="", editable=False)
    known_root = models.CharField(max_length=NAMESPACE_LENGTH, default="", db_default="", editable=False)
    known_namespace = models.CharField(max_length=NAMESPACE_LENGTH, default="", db_default="", editable=False)
    known_folder_id = models.CharField(max_length=FOLDER_ID_LENGTH, default="", db_default="", editable=False)
    known_at = models.DateTimeField(null=True, editable=False, help_text="When the cloud gave the known result.")
    report_folder_id = models.CharField(max_length=FOLDER_ID_LENGTH, default="", db_default="", editable=False)

    class Meta:
        abstract = True

    @property
    def origin(self) -> Origin:
        """Whom the known result came from, and of what it speaks."""
        return Origin(
            base_path=self.known_base_path,
            account=self.known_account,
            path_root=self.known_root,
            namespace=self.known_namespace,
            folder_id=self.known_folder_id,
        )

    def remember_origin(self, origin: Origin) -> None:
        """From now on the result is this answer's."""
        self.known_base_path = origin.base_path
        self.known_account = origin.account
        self.known_root = origin.path_root
        self.known_namespace = origin.namespace
        self.known_folder_id = origin.folder_id
