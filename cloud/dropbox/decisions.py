"""What becomes of each error that Dropbox's specification knows, for the routes in use.

A test goes through the SDK's unions and fails for a tag that is not here, so that each is decided by a person. What is
tried again on purpose stands here, too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cloud.errors import (
    AccountSuspended,
    AppDisabled,
    AppFolderOnly,
    AppFull,
    AppRefused,
    DirectoryExists,
    DropboxRefused,
    DropboxUnavailable,
    LinkDead,
    LinkExists,
    LinkRefused,
    ListedFolderGone,
    ListingReset,
    NotADirectory,
    NotFound,
    NotMade,
    RefreshTokenRefused,
    TokenRejected,
)
from core.base.errors import RunsheetError

TOKEN_ROUTE = "oauth2/token"  # noqa: S105 - a route
LIST_ROUTE = "files/list_folder"
CONTINUE_ROUTE = "files/list_folder/continue"
METADATA_ROUTE = "files/get_metadata"
CREATE_LINK_ROUTE = "sharing/create_shared_link_with_settings"
LIST_LINKS_ROUTE = "sharing/list_shared_links"
LINK_METADATA_ROUTE = "sharing/get_shared_link_metadata"
MAKE_DIRECTORY_ROUTE = "files/create_folder_v2"
LINK_ROUTES = (CREATE_LINK_ROUTE, LIST_LINKS_ROUTE)

ALREADY_EXISTS = "shared_link_already_exists"


@dataclass(frozen=True, slots=True)
class Decision:
    """Which error is raised; with a sentence where the error's own is not the best."""

    kind: type[RunsheetError]
    sentence: str = ""


TRY_AGAIN = Decision(DropboxUnavailable)

# files.LookupError: what is wrong with the path that was asked for.
LOOKUP: Mapping[str, Decision] = {
    "path/not_found": Decision(NotFound),
    "path/not_folder": Decision(NotADirectory),
    "path/malformed_path": Decision(
        DropboxRefused, "Dropbox cannot have a directory of this name. Correct the number or the base path."
    ),
    "path/restricted_content": Decision(
        DropboxRefused, "Dropbox withholds this content for legal reasons. Ask your Dropbox administrator."
    ),
    "path/unsupported_content_type": Decision(DropboxRefused, "Dropbox cannot do this with a document of this kind."),
    "path/locked": Decision(DropboxUnavailable, "Dropbox has locked this path for the moment."),
    "path/not_file": TRY_AGAIN,  # nothing here asks for a file
    "path/other": TRY_AGAIN,
}

_NO_SUCH_NAME = Decision(NotMade, "Dropbox cannot have a directory of this name. Correct the number.")
_MAY_ONLY_READ = Decision(
    NotMade,
    "This Dropbox account may only read the folder that holds the archives. Ask its owner for the right to edit it.",
)
_FULL = Decision(NotMade, "There is no room left in this Dropbox. Make room, then make it again.")

CONFLICTS: Mapping[str, Mapping[str, Decision]] = {
    LIST_ROUTE: {
        **LOOKUP,
        "template_error/restricted_content": Decision(
            DropboxRefused, "Dropbox withholds this content. Ask your Dropbox administrator."
        ),
        "template_error/template_not_found": Decision(DropboxRefused),  # nothing here asks for templates
        "template_error/other": TRY_AGAIN,
        "other": TRY_AGAIN,
    },
    # It names a cursor and not the path; a listing from the beginning tells what is there now.
    CONTINUE_ROUTE: {
        **dict.fromkeys(LOOKUP, TRY_AGAIN),
        "path/not_found": Decision(ListedFolderGone),
        "reset": Decision(ListingReset),
        "other": TRY_AGAIN,
    },
    METADATA_ROUTE: LOOKUP,
    CREATE_LINK_ROUTE: {
        **LOOKUP,
        "path/restricted_content": Decision(LinkRefused, "Dropbox does not share this content for legal reasons."),
        "path/unsupported_content_type": Decision(LinkRefused, "Dropbox makes no share links to content of this kind."),
        "settings_error/not_authorized": Decision(LinkRefused, "The Dropbox team's policy forbids this share link."),
        "settings_error/invalid_settings": Decision(
            LinkRefused, "The Dropbox team's policy forbids a share link with the usual settings."
        ),
        "access_denied": Decision(LinkRefused, "This Dropbox account may not share this directory."),
        "email_not_verified": Decision(
            LinkRefused, "Dropbox gives no share links until the account's e-mail address is verified."
        ),
        "banned_member": Decision(LinkRefused, "Dropbox has taken the right to share from this account."),
        "too_many_shared_folders": Decision(
            LinkRefused, "This Dropbox account has reached its limit of shared folders."
        ),
        ALREADY_EXISTS: Decision(LinkExists),
    },
    LIST_LINKS_ROUTE: {
        **LOOKUP,
        "path/restricted_content": Decision(LinkRefused, "Dropbox does not share this content for legal reasons."),
        "path/unsupported_content_type": Decision(LinkRefused, "Dropbox makes no share links to content of this kind."),
        "permission_denied": Decision(
            LinkRefused, "This Dropbox account may not see the share links of this directory."
        ),
        "reset": TRY_AGAIN,
        "other": TRY_AGAIN,
    },
    LINK_METADATA_ROUTE: {
        "shared_link_not_found": Decision(LinkDead),
        "shared_link_access_denied": Decision(LinkDead),  # for this account, or for everybody who is not invited
        "unsupported_link_type": Decision(LinkDead),
        "unsupported_parameter_field": Decision(DropboxRefused),
        "other": TRY_AGAIN,
    },
    # files.WriteError: where a directory may not be made.
    MAKE_DIRECTORY_ROUTE: {
        "path/malformed_path": _NO_SUCH_NAME,
        "path/disallowed_name": _NO_SUCH_NAME,
        "path/conflict/folder": Decision(DirectoryExists),
        "path/conflict/file": Decision(
            NotMade, "A file of this name lies in Dropbox. Rename or move that file, then make it again."
        ),
        "path/conflict/file_ancestor": Decision(
            NotMade, "A file lies in Dropbox where the folder above it should be. Correct the base path."
        ),
        "path/conflict/other": TRY_AGAIN,
        "path/no_write_permission": _MAY_ONLY_READ,
        "path/access_restricted": _MAY_ONLY_READ,
        "path/insufficient_space": _FULL,
        "path/team_folder_insufficient_space": _FULL,
        "path/member_folder_insufficient_space": _FULL,
        "path/upload_traffic_limit_reached": Decision(
            NotMade, "This Dropbox has reached its limit of what may be uploaded. Try again later."
        ),
        "path/team_folder": Decision(NotMade, "Dropbox lets nothing be made in this place of the team's folders."),
        "path/operation_suppressed": Decision(NotMade, "Dropbox lets nothing be made in this place."),
        # Whoever writes much at the same time is asked to wait, be it another program.
        "path/too_many_write_operations": TRY_AGAIN,
        "path/other": TRY_AGAIN,
    },
}

# auth.AuthError; `missing_scope` brings its scope along.
UNAUTHORIZED: Mapping[str, Decision] = {
    "expired_access_token": Decision(TokenRejected),
    "invalid_access_token": Decision(TokenRejected),
    "user_suspended": Decision(AccountSuspended),
    "invalid_select_user": Decision(DropboxRefused),
    "invalid_select_admin": Decision(DropboxRefused),
    "route_access_denied": Decision(DropboxRefused),
    "other": TRY_AGAIN,
}

_TEAM_FORBIDS = "The Dropbox team does not allow this app here. Ask the Dropbox team's administrator."
_PLAN_FORBIDS = "Dropbox does not offer this to the kind of account that is connected. Connect another Dropbox account."
_NOBODY_MAY = "This Dropbox account may not do this. Ask your Dropbox administrator."
# auth.AccessError.
FORBIDDEN: Mapping[str, Decision] = {
    "invalid_account_type/endpoint": Decision(DropboxRefused, _PLAN_FORBIDS),
    "invalid_account_type/feature": Decision(DropboxRefused, _PLAN_FORBIDS),
    "invalid_account_type/other": Decision(DropboxRefused, _PLAN_FORBIDS),
    "invalid_account_type": Decision(DropboxRefused, _PLAN_FORBIDS),
    "paper_access_denied/paper_disabled": Decision(DropboxRefused),  # nothing here is Paper
    "paper_access_denied/not_paper_user": Decision(DropboxRefused),
    "paper_access_denied/other": Decision(DropboxRefused),
    "team_access_denied": Decision(DropboxRefused, _TEAM_FORBIDS),
    "no_permission/unauthorized_account_id_usage": Decision(DropboxRefused, _NOBODY_MAY),
    "no_permission/other": Decision(DropboxRefused, _NOBODY_MAY),
    "no_permission": Decision(DropboxRefused, _NOBODY_MAY),
    "other": TRY_AGAIN,
}
# The archive is found all the same; only a link to it there is none.
FORBIDDEN_LINKS: Mapping[str, Decision] = {
    tag: decision
    if decision is TRY_AGAIN
    else Decision(
        LinkRefused,
        "The Dropbox team does not allow this app to make share links."
        if tag == "team_access_denied"
        else "This Dropbox account may not make share links here."
        if tag.startswith("no_permission")
        else "This kind of Dropbox account may not make share links.",
    )
    for tag, decision in FORBIDDEN.items()
}

# Nothing is there, and what could not be made has not to fail.
FORBIDDEN_MAKING: Mapping[str, Decision] = {
    tag: decision
    if decision is TRY_AGAIN
    else Decision(
        NotMade,
        "The Dropbox team does not allow this app to make folders. Ask the Dropbox team's administrator."
        if tag == "team_access_denied"
        else "This Dropbox account may not make folders here. Ask your Dropbox administrator.",
    )
    for tag, decision in FORBIDDEN.items()
}

# common.PathRootError; `invalid_root` brings the new root along.
PATH_ROOT: Mapping[str, Decision] = {"no_permission": Decision(DropboxRefused), "other": TRY_AGAIN}

# RFC 6749, 5.2, at the address that gives out tokens.
TOKEN_ERRORS: Mapping[str, Decision] = {
    "invalid_grant": Decision(RefreshTokenRefused),
    "invalid_client": Decision(AppRefused),
    "unauthorized_client": Decision(AppRefused),
    "invalid_request": Decision(DropboxRefused),
    "unsupported_grant_type": Decision(DropboxRefused),
    "invalid_scope": Decision(DropboxRefused),
}

# A 400 has a reason in plain text and no tag. These were seen on the real service; one that Dropbox words anew is
# refused as any other 400, with its text in the evidence.
TEXTS: tuple[tuple[re.Pattern[str], Decision], ...] = tuple(
    (re.compile(text, re.IGNORECASE), decision)
    for text, decision in (
        (r"path root is not supported for sandbox app", Decision(AppFolderOnly)),
        (r"not configured to have full dropbox access", Decision(AppFolderOnly)),
        (r"access token is malformed|invalid authorization value in http header", Decision(TokenRejected)),
        (r"this app is currently disabled", Decision(AppDisabled)),
        (r"reached its user limit", Decision(AppFull)),
        (r"invalid (client_id|app key)", Decision(AppRefused)),
    )
)
