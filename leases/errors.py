"""What can be wrong with a record."""

from http import HTTPStatus

from cloud.errors import CONFIGURED
from core.base.errors import RECORD, Permanent, Refused, Remedy, Temporary

# Saving another number starts a run anew, so that it takes both.
CORRECT_NUMBER = Remedy(
    label="Correct the lease number",
    where=RECORD,
    fragment="id_lease_number",
    rights=("leases.change_lease", "leases.run_discovery"),
)
CONFIGURE = Remedy(
    label="Configure {record.agency}",
    # The address of a new configuration leads to the one that there is.
    where="admin:leases_agencystorageconfig_add",
    query={"agency": "{record.agency}"},
    rights=("leases.add_agencystorageconfig", "leases.change_agencystorageconfig"),
)


class ArchivesAreNotMade(Refused):
    """This installation only reads what is in Dropbox. Ask an administrator to set DROPBOX_MAKES_ARCHIVES=yes."""

    code = "archives_are_not_made"
    status = HTTPStatus.FORBIDDEN


class OnlyReads(Refused):
    """Your Dropbox connection may only read. Connect Dropbox anew under “Your Dropbox” and allow writing."""

    code = "only_reads"
    status = HTTPStatus.CONFLICT


class InvalidLease(Refused):
    """This lease cannot be saved as it is."""

    code = "invalid_lease"
    field = "number"


class DuplicateLease(Refused):
    """This agency already has a lease with this number. Open that one instead."""

    code = "duplicate_lease"
    status = HTTPStatus.CONFLICT
    field = "number"


class DirectoryUnknown(Refused):
    """No archive directory is known for this lease. Search for it first."""

    code = "directory_unknown"
    words = "directory not known"
    advice = "Search the directory first"


class TooManyWords(Refused):
    """There are too many words for agencies already. Nothing was remembered; write the agency's name in the file."""

    code = "too_many_words"


class UploadGone(Refused):
    """The file that was chosen is no longer kept. Choose it again."""

    code = "upload_gone"


class ReadOtherwise(Refused):
    """The file has been read by another separator or sheet since. Nothing was saved; look at it again."""

    code = "read_otherwise"


class ColumnsUnknown(Refused):
    """Which column holds the lease numbers, or the agencies, cannot be told. Say so: `number_column`, and `agency_column` or `agency`."""

    code = "columns_unknown"


class FileIncomplete(Refused):
    """The file has not arrived as it was announced, so nothing was done. Send it again."""

    code = "file_incomplete"


class FileTooSlow(Refused):
    """The file stopped coming, or came more slowly than any line does. Nothing was done; send it once more."""

    code = "file_too_slow"
    status = HTTPStatus.REQUEST_TIMEOUT


class NothingToImport(Refused):
    """There is no row that could be imported. Nothing was saved."""

    code = "nothing_to_import"


class Overtaken(Refused):
    """Others were making leases of this file at the same time. Nothing was saved; try again."""

    code = "overtaken"
    status = HTTPStatus.CONFLICT


class ChoiceUnclear(Refused):
    """Say which leases, either by “ids” or by a “filter”; an empty filter means all."""

    code = "choice_unclear"
    words = "unclear choice"
    field = "ids"


class NotAskedBefore(Refused):
    """Nothing was deleted. Ask by a “dry_run” first, and send what it tells as “which”."""

    code = "not_asked_before"
    words = "not asked before"
    field = "which"


class ConfigurationMissing(Permanent):
    """This agency is not configured. Say under “Agencies” where its archives lie; it goes on by itself."""

    code = "configuration_missing"
    words = "agency not configured"
    advice = "Say under “Agencies” where its archives lie; it goes on by itself"
    remedies = (CONFIGURE,)
    mended_by = frozenset({CONFIGURED})


class ConfigurationDisabled(Permanent):
    """Discovery is switched off for this agency. Switch it on under “Agencies”; it goes on by itself."""

    code = "configuration_disabled"
    words = "agency switched off"
    advice = "Switch discovery on for the agency; it goes on by itself"
    remedies = (CONFIGURE,)
    mended_by = frozenset({CONFIGURED})


class DirectoryElsewhere(Permanent):
    """The known directory does not lie where the agency's archives lie now. It is looked for there by itself."""

    code = "directory_elsewhere"
    words = "directory lies elsewhere"
    advice = "Wait; it is looked for where the archives lie now"


class Reconfigured(Temporary):
    """The agency's configuration was saved meanwhile."""

    code = "configuration_changed"
    words = "configuration changed meanwhile"
    costs_try = False
    goes_on = "It is tried again by itself with the new configuration."


class UnsafePath(Permanent):
    """The lease number or the agency's base path would lead to another folder. Correct it, then run it again."""

    code = "unsafe_path"
    words = "path not safe"
    advice = "Correct the lease number or the agency's base path; run it again"
    remedies = (CORRECT_NUMBER,)
    mended_by = frozenset({CONFIGURED})
