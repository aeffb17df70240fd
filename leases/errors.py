"""What can be wrong with a record."""

from core.errors import Permanent, Refused, Temporary


class InvalidLease(Refused):
    """This lease cannot be saved as it is."""

    code = "invalid_lease"


class DuplicateLease(Refused):
    """This agency already has a lease with this number. Open that one instead."""

    code = "duplicate_lease"


class DirectoryUnknown(Refused):
    """No archive directory is known for this lease. Search for it first."""

    code = "directory_unknown"


class BatchGone(Refused):
    """This batch no longer exists. Go back to the list."""

    code = "batch_gone"


class DatabaseTooBusy(Refused):
    """The database was too busy to do this in time. Nothing was changed; try again in a minute."""

    code = "database_too_busy"


class NothingToStart(Refused):
    """There is nothing to start: each of these leases is under way or about to start. Nothing was changed."""

    code = "nothing_to_start"


class ChoiceChanged(Refused):
    """Since you were asked, the leases have changed: others match, or somebody has run some. Nothing was changed."""

    code = "choice_changed"


class UnreadableFile(Refused):
    """This file cannot be read as a table. Save it as CSV or XLSX, and choose that file."""

    code = "unreadable_file"


class TooManyWords(Refused):
    """There are too many words for agencies already. Nothing was remembered; write the agency's name in the file."""

    code = "too_many_words"


class UploadGone(Refused):
    """The file that was chosen is no longer kept. Choose it again."""

    code = "upload_gone"


class ReadOtherwise(Refused):
    """The file has been read by another separator or sheet since. Nothing was saved; look at it again."""

    code = "read_otherwise"


class NothingToImport(Refused):
    """There is no row that could be imported. Nothing was saved."""

    code = "nothing_to_import"


class Overtaken(Refused):
    """Others were making leases of this file at the same time. Nothing was saved; try again."""

    code = "overtaken"


class EmailNotConfigured(Permanent):
    """No mail server is configured, so nobody is told by e-mail. Set EMAIL_URL."""

    code = "email_not_configured"


class NoAddress(Permanent):
    """The person has no e-mail address. Add one under “People”."""

    code = "no_address"


class EmailUnavailable(Temporary):
    """The mail server did not take the mail."""

    code = "email_unavailable"


class ConfigurationMissing(Permanent):
    """This agency is not configured. Say under “Agencies” where its archives lie; it goes on by itself."""

    code = "configuration_missing"


class ConfigurationDisabled(Permanent):
    """Discovery is switched off for this agency. Switch it on under “Agencies”; it goes on by itself."""

    code = "configuration_disabled"


class DirectoryElsewhere(Permanent):
    """The known directory does not lie where the agency's archives lie now. It is looked for there by itself."""

    code = "directory_elsewhere"


class Reconfigured(Temporary):
    """The agency's configuration was saved meanwhile."""

    code = "configuration_changed"
    costs_try = False
    goes_on = "It is tried again by itself with the new configuration."


class UnsafePath(Permanent):
    """The lease number or the agency's base path would lead to another folder. Correct it, then run it again."""

    code = "unsafe_path"
