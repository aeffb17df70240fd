"""What the cloud tells, in our own words; what travels between the gateway and the services, never SDK objects."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudFile:
    """A file or directory as the cloud describes it.

    Attributes:
        path: absolute, in the account's path root, in the cloud's own spelling where it gave one.
        path_lower: the same as the cloud folds it; empty where it gave none.
        name: the last component of the path, as displayed.
        file_id: the cloud's lasting name of it; empty where the cloud gave none.
        size_bytes: None for a directory.
        modified_at: aware; None for a directory.
        shared_folder_id: of a directory that is shared as a whole, the cloud's name of what is shared; else empty.
        parent_shared_folder_id: the shared folder, or team space, that it lies in; empty where it lies in none.
        is_read_only: whether who asks may not write there.
        traverse_only: who asks may pass through the directory and sees no more of it than what is shared with them.
        no_access: who asks sees that the directory is there and may not open it.
    """

    path: str
    name: str
    is_directory: bool
    file_id: str = ""
    size_bytes: int | None = None
    modified_at: datetime | None = None
    shared_folder_id: str = ""
    parent_shared_folder_id: str = ""
    is_read_only: bool = False
    traverse_only: bool = False
    no_access: bool = False
    path_lower: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether the account may see only a part of the directory. What it does not see may be there all the same."""
        return self.traverse_only or self.no_access


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLink:
    """A share link to a file or directory.

    Attributes:
        url: opaque; it grants access, so it is never logged.
        file_id: the cloud's lasting name of what the link leads to; empty where the cloud gave none.
        name: the name of what the link leads to, in the cloud's own spelling.
        path: where what it leads to lies, folded, in the account's path root; empty where the cloud does not say.
        is_public: whether anybody who has the link may open it.
        expires_at: aware; None when it does not expire.
    """

    url: str
    name: str
    file_id: str = ""
    path: str = ""
    is_public: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryListing:
    """Everything directly inside one directory.

    Attributes:
        path: the directory that was asked for.
        entries: in the cloud's order, all pages.
        request_ids: one per call that was made, for the evidence.
    """

    path: str
    entries: tuple[CloudFile, ...]
    request_ids: tuple[str, ...]


class ChangedEntry(NamedTuple):
    """Something that lies in a directory at any depth, or is gone from there. A tuple, since there are millions of them.

    Attributes:
        path_lower: absolute, as the cloud folds it.
        is_deleted: nothing lies there any more, nor below; then it is not said what it was.
        file_id: the cloud's lasting name of it; empty of what is gone.
        revision: of a file; another one whenever it was written.
        modified_at: aware; None but for a file.
        shared_folder_id, is_partial: as in `CloudFile`.
    """

    path_lower: str
    name: str
    is_directory: bool = False
    is_deleted: bool = False
    file_id: str = ""
    revision: str = ""
    size_bytes: int = 0
    modified_at: datetime | None = None
    shared_folder_id: str = ""
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesPage:
    """A part of what lies in a directory, or of what has changed there; in the cloud's order, which counts.

    Attributes:
        cursor: where the next page begins, or the changes to come.
        has_more: whether there is a next page now.
        unmounted: how many entries have no path in the account, and so lie nowhere.
    """

    entries: tuple[ChangedEntry, ...]
    cursor: str
    has_more: bool
    unmounted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """A part of the share links that an account has made.

    Attributes:
        cursor: where the next page begins; empty where there is none.
    """

    links: tuple[ShareLink, ...]
    cursor: str


class Audience(Enum):
    """Whom a new share link opens for, unless somebody changes it."""

    ANYBODY = "anybody who has it"
    TEAM = "members of the team"
    INVITED = "people who are invited"
    UNKNOWN = "whom the team's policy says"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPolicy:
    """What an account may do about share links, apart from what is so of one directory.

    Attributes:
        email_is_verified: without that, the cloud makes no links.
    """

    audience: Audience
    email_is_verified: bool
