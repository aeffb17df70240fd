"""What can go wrong with backups; each docstring begins with the operator's sentence."""

from core.base.errors import Permanent, Refused, RunsheetError, Temporary


class BackupRefused(Refused):
    """That cannot be done with this backup, or not here."""

    code = "backup_refused"
    words = "backup refused"


class BackupBroken(Temporary):
    """It was broken off. Run the same command again, and it goes on with what is there."""

    code = "backup_broken"
    words = "backup broken off"
    advice = "Run the same command again"


class BackupFailed(Permanent):
    """It cannot be done as things are."""

    code = "backup_failed"
    words = "backup failed"
    advice = "See what is wrong with the place for backups, then repeat"


class BackupDamaged(BackupFailed):
    """Something of the backup is not what was written there."""

    code = "backup_damaged"
    words = "backup damaged"
    advice = "Take another backup, with --reread, and see what the disk or the bucket says"


class ContentDiffers(RunsheetError):
    """The bytes are not those that were expected.

    Attributes:
        sha256: of what came.
    """

    code = "backup_content_differs"
    words = "other bytes than expected"

    def __init__(self, sha256: str) -> None:
        super().__init__()
        self.sha256 = sha256
