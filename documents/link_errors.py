"""Everything that may go wrong with links for people outside."""

from http import HTTPStatus

from core.base.errors import Refused, Temporary
from documents.errors import InvalidDocument


class LinkGone(Refused):
    """There is no such share link, or it is of a document of somebody else's."""

    code = "link_gone"
    status = HTTPStatus.NOT_FOUND


class NotToBeShared(Refused):
    """An archived document is not shared. Restore it first."""

    code = "not_to_be_shared"
    status = HTTPStatus.CONFLICT


class TooManyLinks(Refused):
    """This document has as many links that work as one may have. Revoke those that nobody needs."""

    code = "too_many_links"
    status = HTTPStatus.CONFLICT


class InvalidLabel(InvalidDocument):
    """What is said of a share link has at most 100 characters that can be seen, on one line."""

    code = "invalid_label"
    field = "label"


class InvalidLinkPassword(InvalidDocument):
    """The password of a share link has 8 to 128 characters, none of them a control character. Take a longer one, or none."""

    code = "invalid_link_password"
    field = "password"


class InvalidExpiry(InvalidDocument):
    """A share link ends in the future, a year from now at most. Take another day."""

    code = "invalid_expiry"
    field = "expires_at"


class InvalidDownloads(InvalidDocument):
    """A share link can be limited to 1 to 1,000,000 downloads. Take such a number, or none."""

    code = "invalid_downloads"
    field = "downloads_at_most"


class LinkUnknown(Refused):
    """Nothing is here. Look whether the link was copied as a whole, or ask whoever gave it to you for another one."""

    code = "link_unknown"
    status = HTTPStatus.NOT_FOUND


class LinkRevoked(Refused):
    """This link was taken back. Ask whoever gave it to you for another one."""

    code = "link_revoked"
    status = HTTPStatus.GONE


class LinkExpired(Refused):
    """The time of this link is over. Ask whoever gave it to you for another one."""

    code = "link_expired"
    status = HTTPStatus.GONE


class LinkUsedUp(Refused):
    """This link was used as often as it may be. Ask whoever gave it to you for another one."""

    code = "link_used_up"
    status = HTTPStatus.GONE


class LinkSuspended(Refused):
    """The document cannot be had by this link at present. Try again later, or ask whoever gave it to you."""

    code = "link_suspended"
    status = HTTPStatus.CONFLICT


class LinkPasswordWrong(Refused):
    """This is not the password of the link. Type it again, or ask whoever gave it to you."""

    code = "link_password_wrong"
    status = HTTPStatus.FORBIDDEN
    field = "password"


class TooManyGuesses(Temporary):
    """Too many have been tried from here. Wait a quarter of an hour, then try again."""

    code = "too_many_guesses"
    words = "too many guesses"
    status = HTTPStatus.TOO_MANY_REQUESTS
