"""What somebody does who has a link: who they are, nobody knows. How it stands is found out anew each time."""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.db.models import F, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from api import spelling
from core.ops import tally
from documents.link_errors import LinkExpired, LinkPasswordWrong, LinkRevoked, LinkSuspended, LinkUnknown, LinkUsedUp
from documents.models import Document, DocumentVersion, ShareLink
from documents.queries import is_missing
from documents.services.rights import may_share
from documents.services.shares import note
from documents.states import LinkState, State, Suspended

logger = logging.getLogger(__name__)

ENDED = {LinkState.REVOKED: LinkRevoked, LinkState.EXPIRED: LinkExpired, LinkState.USED_UP: LinkUsedUp}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A link that opens something, and what."""

    link: ShareLink
    version: DocumentVersion


def find(*, token: str) -> ShareLink:
    """The link of which somebody has shown the token, whether it opens anything or not.

    Raises:
        LinkUnknown: there is none.
    """
    if not spelling.is_right(token, spelling.LINK_PREFIX):
        raise LinkUnknown
    known = ShareLink.objects.select_related("document", "created_by")
    link = known.filter(token_sha256=spelling.digest(token)).first()
    if link is None:
        raise LinkUnknown
    return link


def opened(*, link: ShareLink, at: datetime, has_begun: bool = False) -> Opened:
    """What the link opens now. What suspends it, or does not any more, is written down.

    Args:
        has_begun: whether a download of it was counted already, so that it may go on although it was the last one.

    Raises:
        LinkRevoked, LinkExpired, LinkUsedUp: it opens nothing any more.
        LinkSuspended: nothing at present.
    """
    state = link.state_at(at)
    if state in ENDED and not (has_begun and state == LinkState.USED_UP):
        raise ENDED[state]
    version = link.document.current_version
    why = _why(link, version)
    if why != link.suspended_why:
        note(link_ids=[link.pk], why=why, at=at)
        logger.info("shares: link %s of document %s is suspended: %s", link.pk, link.document_id, why or "no longer")
    if why or not _is_to_be_had(link.document, version):
        raise LinkSuspended
    assert version
    return Opened(link=link, version=version)


def name_outside(person: User | None) -> str:
    """What people outside may know somebody by; empty: nothing.

    Never what they log in with, nor an address, which some have as their name.
    """
    name = person.get_full_name() if person else ""
    return "" if "@" in name else name


def require_password(*, link: ShareLink, password: str) -> None:
    """Go on only with the password of the link.

    Raises:
        LinkPasswordWrong: it is another one, or there is none to be told.
    """
    if not link.password or not check_password(password, link.password):
        raise LinkPasswordWrong


def use(*, link: ShareLink, at: datetime) -> None:
    """Count that the document is handed out by the link: each one that is, and not one more than may be.

    Raises:
        LinkRevoked, LinkExpired, LinkUsedUp: somebody was faster; it must not be handed out.
    """
    # By columns of its own, so that PostgreSQL looks at the row anew once it has waited for somebody else's count.
    alive = ShareLink.objects.filter(pk=link.pk).not_ended(at=at)
    if not alive.update(downloads=F("downloads") + 1, last_used_at=at):
        link.refresh_from_db(fields=["downloads", "revoked_at"])
        raise ENDED[link.state_at(at)]
    tally.count("share_downloads")
    logger.info("shares: document %s was fetched by link %s", link.document_id, link.pk)


def public_version(*, unique_name: str) -> DocumentVersion:
    """The current version of the document that everybody may have by that name, in upper or lower case.

    Raises:
        LinkUnknown: there is none, or not for everybody, which nobody can tell apart.
    """
    is_named = Exact(Lower("unique_name"), Value(unique_name.lower()))  # as the index has it
    document = Document.objects.filter(is_named, is_public=True, state=State.ACTIVE).first()
    version = document.current_version if document else None
    if document is None or version is None or not _is_to_be_had(document, version) or is_missing(version):
        raise LinkUnknown
    return version


def _why(link: ShareLink, version: DocumentVersion | None) -> str:
    if not may_share(link.document, by=link.created_by):
        return Suspended.MAKER
    return Suspended.FILE_MISSING if is_missing(version) else ""


def _is_to_be_had(document: Document, version: DocumentVersion | None) -> bool:
    return document.state == State.ACTIVE and version is not None and version.may_be_served
