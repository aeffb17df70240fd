"""From the SDK's objects to ours. Nothing is believed for being there, and nothing is taken for said that is not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import DeletedMetadata, FileMetadata, FolderMetadata, FolderSharingInfo
from dropbox.sharing import CreateSharedLinkWithSettingsError

from cloud.dropbox.connection import is_link
from cloud.dropbox.forms import CURSOR, FILE_ID, NAMESPACE, OddAnswer, harmless, of_form, required, whole
from cloud.files import Audience, CloudFile, LinkPage, LinkPolicy, ShareLink

# Dropbox's largest page; with it, most directories take one call.
PAGE_SIZE = 2_000
# Of a file or directory at Dropbox.
LONGEST_NAME = 255
# A listing that is longer than any of these does not end.
MOST_PAGES = 2_000
MOST_EMPTY_PAGES = 50
# What lies beyond these is no instant that anything happens at, and cannot be told in every time zone.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a listing.

    Attributes:
        cursor: where the next page begins; empty where there is none.
    """

    entries: tuple[CloudFile, ...]
    cursor: str


def endless(page: Page, *, seen: set[str], pages: int, empty: int) -> str:
    """Why nobody should ask for the page after this one; empty if there is no reason.

    Args:
        seen: where earlier pages went on.
        pages, empty: how many there were, and how many without an entry came last.
    """
    if page.cursor in seen and page.entries:
        return "the same place comes again"
    if empty > MOST_EMPTY_PAGES:
        return f"{empty} pages without an entry"
    return f"more than {MOST_PAGES:,} pages" if pages >= MOST_PAGES else ""


def page(result: Any, *, directory: str) -> Page:
    """One page of a listing.

    Raises:
        OddAnswer: something in it cannot be.
    """
    # What is deleted is not there; it comes only where somebody asks for it, or changes something at this moment.
    there = [entry for entry in result.entries if not isinstance(entry, DeletedMetadata)]
    return Page(
        entries=tuple(cloud_file(entry, directory=directory) for entry in there),
        cursor=required(CURSOR, result.cursor, what="the place where the listing goes on") if result.has_more else "",
    )


def cloud_file(entry: Any, *, directory: str) -> CloudFile:
    """One entry of a directory, or what was looked up.

    Raises:
        OddAnswer: it is neither a file nor a directory, or has a name that nothing can have.
    """
    if not isinstance(entry, (FileMetadata, FolderMetadata)):
        raise OddAnswer(f"it is about something that is neither file nor directory ({type(entry).__name__})")
    name = whole(entry.name, what="a name")
    if "/" in name:
        raise OddAnswer("a name has a slash")
    told = entry.path_display or entry.path_lower or ""
    # Dropbox names no path for what lies in a shared folder that is not mounted.
    path = whole(told, what="a path") if told.startswith("/") else f"{directory}/{name}"
    is_file = isinstance(entry, FileMetadata)
    return CloudFile(
        path=path,
        path_lower=harmless(entry.path_lower or ""),
        name=name,
        is_directory=not is_file,
        file_id=of_form(FILE_ID, entry.id),
        size_bytes=entry.size if is_file else None,
        modified_at=_aware(entry.server_modified) if is_file else None,
        **_sharing(entry),
    )


def _sharing(entry: Any) -> dict[str, Any]:
    """What the account may see of what is shared; files have fewer of these fields than directories."""
    info = entry.sharing_info
    if info is None:
        return {}
    told: dict[str, Any] = {
        "parent_shared_folder_id": of_form(NAMESPACE, info.parent_shared_folder_id),
        "is_read_only": info.read_only,
    }
    if isinstance(info, FolderSharingInfo):
        told["shared_folder_id"] = of_form(NAMESPACE, info.shared_folder_id)
        told["traverse_only"], told["no_access"] = info.traverse_only, info.no_access
    return told


def is_deleted(entry: Any) -> bool:
    """Whether what was looked up is the mark of something that is there no more."""
    return isinstance(entry, DeletedMetadata)


def create_or_existing_link(client: Dropbox, path: str) -> ShareLink | None:
    """The new link, or the one that exists; None when Dropbox says that one exists and no more."""
    try:
        return share_link(client.sharing_create_shared_link_with_settings(path))
    except ApiError as error:
        found = error.error
        if not isinstance(found, CreateSharedLinkWithSettingsError) or not found.is_shared_link_already_exists():
            raise
        existing = found.get_shared_link_already_exists()
        return share_link(existing.get_metadata()) if existing and existing.is_metadata() else None


def share_link(metadata: Any) -> ShareLink:
    """A link; without its address where that is none of Dropbox's."""
    return ShareLink(
        url=metadata.url if is_link(metadata.url) else "",
        name=harmless(metadata.name, at_most=LONGEST_NAME),
        file_id=of_form(FILE_ID, metadata.id),
        path=harmless(metadata.path_lower or ""),
        is_public=_is_public(metadata.link_permissions),
        expires_at=_aware(metadata.expires) if metadata.expires else None,
    )


def own_links(client: Dropbox, cursor: str) -> LinkPage:
    """A page of the links that the account has made; without a cursor that leads nowhere new."""
    found = client.sharing_list_shared_links(cursor=cursor or None)
    further = (found.cursor or "") if found.has_more else ""
    return LinkPage(links=tuple(share_link(each) for each in found.links), cursor="" if further == cursor else further)


def link_policy(account: Any) -> LinkPolicy:
    """Of a full account; who is in no team may share with everybody."""
    policy = account.team.sharing_policies.shared_link_create_policy if account.team else None
    if policy is None or policy.is_default_public():
        audience = Audience.ANYBODY
    elif policy.is_default_team_only() or policy.is_team_only():
        audience = Audience.TEAM
    else:
        audience = Audience.INVITED if policy.is_default_no_one() else Audience.UNKNOWN
    return LinkPolicy(audience=audience, email_is_verified=bool(account.email_verified))


def _is_public(permissions: Any) -> bool:
    """What holds, which may be stricter than what was asked for."""
    if permissions.effective_audience:
        return bool(permissions.effective_audience.is_public())
    return bool(permissions.resolved_visibility and permissions.resolved_visibility.is_public())


def _aware(moment: datetime) -> datetime:
    """The SDK's instants are UTC without saying so."""
    return min(max(moment.replace(tzinfo=UTC), EARLIEST), LATEST)
