"""From the SDK's objects to ours."""

from datetime import UTC, datetime
from typing import Any

from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import DeletedMetadata, FileMetadata, FolderSharingInfo
from dropbox.sharing import CreateSharedLinkWithSettingsError

from discovery.dropbox.answers import NAMESPACE, harmless, of_form
from leases.cloud import Audience, CloudFile, LinkPolicy, ShareLink

# Of a file or directory at Dropbox.
LONGEST_NAME = 255


def cloud_file(entry: Any, *, directory: str) -> CloudFile:
    """One entry of a directory, or what was looked up."""
    # Dropbox names no path for what lies in a shared folder that is not mounted.
    path = harmless(entry.path_display or entry.path_lower or f"{directory}/{entry.name}")
    name = harmless(entry.name)
    sharing = _sharing(entry)
    if not isinstance(entry, FileMetadata):
        return CloudFile(path=path, name=name, is_directory=True, file_id=entry.id, **sharing)
    return CloudFile(
        path=path,
        name=name,
        is_directory=False,
        file_id=entry.id,
        size_bytes=entry.size,
        modified_at=_aware(entry.server_modified),
        **sharing,
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


def create_or_existing_link(client: Dropbox, path: str) -> Any:
    """The metadata of a new link, or of the one that exists; None when Dropbox says that one exists and no more."""
    try:
        return client.sharing_create_shared_link_with_settings(path)
    except ApiError as error:
        found = error.error
        if not isinstance(found, CreateSharedLinkWithSettingsError) or not found.is_shared_link_already_exists():
            raise
        existing = found.get_shared_link_already_exists()
        return existing.get_metadata() if existing and existing.is_metadata() else None


def share_link(metadata: Any) -> ShareLink:
    return ShareLink(
        url=metadata.url,
        name=harmless(metadata.name, at_most=LONGEST_NAME),
        file_id=metadata.id or "",
        path=metadata.path_lower or "",
        is_public=_is_public(metadata.link_permissions),
        expires_at=_aware(metadata.expires) if metadata.expires else None,
    )


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
    return moment.replace(tzinfo=UTC)
