"""Links by which people outside get a document: made, taken back, and suspended while there is nothing to be had.

What somebody does who has one stands in `documents.services.opening`.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.fields import CharField
from django.urls import reverse

from api import spelling
from core.base.errors import Refused
from documents.link_errors import (
    InvalidDownloads,
    InvalidExpiry,
    InvalidLabel,
    InvalidLinkPassword,
    LinkGone,
    NotToBeShared,
    TooManyLinks,
)
from documents.models import Document, DocumentVersion, ShareLink
from documents.models.shares import DOWNLOADS_AT_MOST, LABEL_AT_MOST, LASTS_AT_MOST
from documents.queries import links_visible_to, roots_of_documents
from documents.services import writing
from documents.services.bulk import AT_MOST
from documents.services.rights import MANAGE, SHARE, require_share
from documents.states import State, Suspended
from statemachine.rights import require
from statemachine.transitions import locked
from storage.models import FileState, StoredFile

logger = logging.getLogger(__name__)

USUAL_DAYS = 30
# A link is for somebody; whoever needs more of them for one document is about to publish it.
LINKS_AT_MOST = 100
PASSWORD_AT_LEAST, PASSWORD_AT_MOST = 8, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """One that was just made.

    Attributes:
        token: what stands in its address. It is nowhere else, and is shown once.
    """

    link: ShareLink
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        """The address that is passed on. It begins as the settings say, whatever a request calls this server."""
        return f"{settings.CONSOLE_URL}{reverse('share', args=[self.token])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeOfOne:
    """What became of one of many documents.

    Attributes:
        new: None: there is none.
        code, message: why there is none.
    """

    document_id: int
    new: NewLink | None = None
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How many links were suspended, and how many go on again."""

    suspended: int
    revived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """Under which a link opens something, checked; the password as it is kept."""

    label: str
    password: str
    expires_at: datetime
    downloads_at_most: int | None
    created_at: datetime

    @classmethod
    def checked(
        cls, *, label: str, password: str, expires_at: datetime | None, downloads_at_most: int | None, at: datetime
    ) -> "_Terms":
        """Raises:
        InvalidLabel, InvalidLinkPassword, InvalidExpiry, InvalidDownloads: one of them cannot be.
        """
        words = " ".join(label.split())
        if len(words) > LABEL_AT_MOST or not words.isprintable():
            raise InvalidLabel
        ends = at + timedelta(days=USUAL_DAYS) if expires_at is None else expires_at
        if not at < ends <= at + LASTS_AT_MOST:
            raise InvalidExpiry
        if downloads_at_most is not None and not 1 <= downloads_at_most <= DOWNLOADS_AT_MOST:
            raise InvalidDownloads
        kept = _kept(password)
        return cls(label=words, password=kept, expires_at=ends, downloads_at_most=downloads_at_most, created_at=at)


def make(
    *,
    document_id: int,
    by: User,
    at: datetime,
    label: str = "",
    password: str = "",
    expires_at: datetime | None = None,
    downloads_at_most: int | None = None,
) -> NewLink:
    """A new link to a document, whichever its current version is.

    It opens something as long as who made it may share the document: it never does more than they may.

    Args:
        label: whom or what it is for, in somebody's words.
        password: empty: there is none.
        expires_at: None: in `USUAL_DAYS`.
        downloads_at_most: None: any number of times.

    Raises:
        TransitionForbidden, RecordGone, NotYourDocument, NotToBeShared, TooManyLinks: there is to be none.
        InvalidLabel, InvalidLinkPassword, InvalidExpiry, InvalidDownloads: not such a one.
    """
    require(by, SHARE)
    terms = _Terms.checked(
        label=label, password=password, expires_at=expires_at, downloads_at_most=downloads_at_most, at=at
    )
    return _made(document_id, by=by, terms=terms)


def make_many(
    *,
    document_ids: Sequence[int],
    by: User,
    at: datetime,
    label: str = "",
    password: str = "",
    expires_at: datetime | None = None,
    downloads_at_most: int | None = None,
) -> tuple[MadeOfOne, ...]:
    """A link to each of many documents, under the same terms; what became of each, in their order.

    Args:
        document_ids: at most `documents.services.bulk.AT_MOST`; what is named twice gets one link.

    Raises:
        TransitionForbidden: the person may share nothing.
        InvalidLabel, InvalidLinkPassword, InvalidExpiry, InvalidDownloads: there was none made.
        ValueError: there are too many.
    """
    require(by, SHARE)
    if len(document_ids) > AT_MOST:
        raise ValueError(f"At most {AT_MOST:,} documents at once.")
    terms = _Terms.checked(
        label=label, password=password, expires_at=expires_at, downloads_at_most=downloads_at_most, at=at
    )
    return tuple(_made_of_one(each, by=by, terms=terms) for each in dict.fromkeys(document_ids))


def revoke(*, link_id: int, by: User, at: datetime) -> ShareLink:
    """End a link: it opens nothing from now on. Once more it changes nothing.

    Whoever made it may do that, too, when they may not share anything any more.

    Raises:
        LinkGone: there is none, or none that the person may see.
    """
    theirs = links_visible_to(by).filter(pk=link_id)
    ended = ShareLink.objects.filter(pk__in=theirs.values("pk"), revoked_at=None).update(revoked_at=at, revoked_by=by)
    link = theirs.select_related("document", "created_by", "revoked_by").first()
    if link is None:
        raise LinkGone
    if ended:
        logger.info("shares: user %s has revoked link %s of document %s", by.pk, link.pk, link.document_id)
    return link


def to_be_revoked(*, document_ids: Collection[int], by: User, at: datetime) -> list[int]:
    """The links to these documents that have not ended, of those that the person may revoke."""
    links = links_visible_to(by).not_ended(at=at).filter(document__in=document_ids)
    return list(links.order_by("pk").values_list("pk", flat=True))


def revoke_many(*, link_ids: Collection[int], by: User, at: datetime) -> int:
    """End these links, as far as the person may; how many have not been revoked before."""
    theirs = links_visible_to(by).filter(pk__in=link_ids)
    count = ShareLink.objects.filter(pk__in=theirs.values("pk"), revoked_at=None).update(revoked_at=at, revoked_by=by)
    logger.info("shares: user %s has revoked %s of the links %s", by.pk, count, sorted(link_ids))
    return count


def settle(*, at: datetime) -> Settled:
    """Suspend the links by which nothing can be had, and let those go on by which it can again; told by each in the log.

    Whoever opens one is answered by how things stand then (`documents.services.opening`); this is for who looks at lists.
    """
    why = _why(_who_shares(at))
    moved: dict[str, list[tuple[int, int]]] = defaultdict(list)
    changed = ShareLink.objects.not_ended(at=at).annotate(why=why).exclude(suspended_why=F("why"))
    for pk, document_id, now_why in changed.values_list("pk", "document_id", "why"):
        moved[now_why].append((pk, document_id))
    for reason, links in moved.items():
        note(link_ids=[pk for pk, _document_id in links], why=reason, at=at)
        for pk, document_id in links:
            logger.info("shares: link %s of document %s %s", pk, document_id, _told(reason))
    revived = len(moved.pop("", ()))
    return Settled(suspended=sum(map(len, moved.values())), revived=revived)


def note(*, link_ids: Collection[int], why: str, at: datetime) -> None:
    """Write down that these are suspended, and why; empty: that they are not."""
    links = ShareLink.objects.filter(pk__in=link_ids).exclude(suspended_why=why)
    links.update(suspended_why=why, suspended_at=at if why else None)


def _made(document_id: int, *, by: User, terms: _Terms) -> NewLink:
    token = spelling.draw(spelling.LINK_PREFIX)
    with locked(Document, document_id) as document:
        require_share(document, by=by)
        if document.state == State.ARCHIVED:
            raise NotToBeShared
        if document.links.not_ended(at=terms.created_at).count() >= LINKS_AT_MOST:
            raise TooManyLinks
        link = ShareLink.objects.create(
            document=document,
            created_by=by,
            token_sha256=spelling.digest(token),
            hint=spelling.hint(token),
            label=terms.label,
            password=terms.password,
            expires_at=terms.expires_at,
            downloads_at_most=terms.downloads_at_most,
            created_at=terms.created_at,
        )
        writing.ring()
    logger.info("shares: user %s has made link %s of document %s", by.pk, link.pk, document_id)
    return NewLink(link=link, token=token)


def _made_of_one(document_id: int, *, by: User, terms: _Terms) -> MadeOfOne:
    try:
        return MadeOfOne(document_id=document_id, new=_made(document_id, by=by, terms=terms))
    except Refused as refusal:
        return MadeOfOne(document_id=document_id, code=refusal.code, message=str(refusal))


def _kept(password: str) -> str:
    if not password:
        return ""
    if not PASSWORD_AT_LEAST <= len(password) <= PASSWORD_AT_MOST or not password.isprintable():
        raise InvalidLinkPassword
    return make_password(password)


def _who_shares(at: datetime) -> dict[bool, list[int]]:
    """Of those who have made a link that has not ended: who may share everybody's (True), and who their own (False)."""
    makers = ShareLink.objects.not_ended(at=at).order_by().values("created_by").distinct()
    found: dict[bool, list[int]] = {True: [], False: []}
    for user in User.objects.filter(pk__in=makers):
        if user.has_perm(SHARE):
            found[user.has_perm(MANAGE)].append(user.pk)
    return found


def _why(shares: dict[bool, list[int]]) -> Case:
    """What keeps the document of a link from who has it; empty: nothing."""
    is_theirs = Q(created_by__in=shares[True]) | Q(created_by__in=shares[False], document__owner=F("created_by"))
    gone = StoredFile.objects.filter(root__name__in=roots_of_documents()).exclude(state=FileState.PRESENT)
    current = DocumentVersion.objects.filter(document=OuterRef("document"), number=OuterRef("document__current"))
    return Case(
        When(is_theirs & ~Exists(current.filter(key__in=gone.values("key"))), then=Value("")),
        When(is_theirs, then=Value(Suspended.FILE_MISSING)),
        default=Value(Suspended.MAKER),
        output_field=CharField(),
    )


def _told(reason: str) -> str:
    return f"is suspended: {Suspended(reason).label}" if reason else "goes on again"
