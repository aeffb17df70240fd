"""What keeps a run from saying what is in an archive; what goes wrong with Dropbox itself is in `cloud.errors`."""

from typing import ClassVar

from cloud.errors import ANOTHER_ACCOUNT, CONFIGURED
from core.base.errors import Permanent, Remedy
from leases.errors import CONFIGURE

CONNECT_ANOTHER = Remedy(
    label="Connect another Dropbox account",
    where="dropbox_account",
    query={"next": "{page}"},
    is_theirs=True,
    otherwise="Let {who_sees} whose Dropbox sees the archive.",
)


class BasePathMissing(Permanent):
    """The folder that should hold all archives is not in this Dropbox. Correct the agency's configuration."""

    code = "base_path_missing"
    words = "archive folder not in this Dropbox"
    advice = "Correct the agency's base path, or connect an account that sees it; run it again"
    # The folder may be missing in the configuration's words, or in this one Dropbox.
    remedies: ClassVar[tuple[Remedy, ...]] = (CONFIGURE, CONNECT_ANOTHER)
    mended_by = frozenset({ANOTHER_ACCOUNT, CONFIGURED})


class BasePathOutOfSight(BasePathMissing):
    """This Dropbox lacks the folder that should hold all archives, and another one had it. Let somebody run it who sees it;
    if nobody does any more, correct the agency's configuration.
    """

    code = "base_path_out_of_sight"
    words = "archive folder out of this account's sight"
    advice = "Let somebody run it whose Dropbox sees the archives' folder; if nobody does, correct the base path"
    # Whoever saw it may see it no more, so that the path is wrong after all.
    remedies = (CONNECT_ANOTHER, CONFIGURE)


class ArchiveOutOfSight(Permanent):
    """This Dropbox account cannot tell what lies there. What was found before stays; connect an account that sees it."""

    code = "archive_out_of_sight"
    words = "archive out of this account's sight"
    advice = "Let somebody run it whose Dropbox sees the archive, or connect such an account"
    remedies = (CONNECT_ANOTHER,)
    mended_by = frozenset({ANOTHER_ACCOUNT, CONFIGURED})


class AnotherFolder(Permanent):
    """This Dropbox account has another folder at this path. What was found before stays; connect an account that sees it."""

    code = "another_folder"
    words = "another folder of this path"
    advice = "Let somebody run it whose Dropbox sees the archive, or connect such an account"
    remedies = (CONNECT_ANOTHER,)
    mended_by = frozenset({ANOTHER_ACCOUNT, CONFIGURED})
