"""Links for people outside, for programs: made, seen and taken back by the services that the console calls."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from ninja import Body, Query
from ninja import Status as Answered
from pydantic import BaseModel, Field

from api.paging import Page, Paged, page
from api.shapes import Key, Moment, Person, Said, Text
from core.base.clock import in_utc, now
from core.http.lists import of_list
from documents.api.asking import asking, here, there
from documents.api.router import router
from documents.link_errors import LinkGone
from documents.models import ShareLink
from documents.models.shares import DOWNLOADS_AT_MOST
from documents.queries import SHARE, links_visible_to, visible_to
from documents.services import shares
from documents.services.bulk import AT_MOST
from documents.services.shares import PASSWORD_AT_MOST, MadeOfOne, NewLink
from documents.states import LinkState
from statemachine.errors import RecordGone

type ShareStatus = Literal["active", "suspended", "revoked", "expired", "used_up"]
SHOWN = ("document", "created_by", "revoked_by")


class Terms(Said):
    """Under which a link opens a document.

    Attributes:
        label: whom or what it is for, in somebody's words; who has the link does not see it.
        password: what who opens it is asked for; empty: nothing.
        expires_at: null: in 30 days; a year from now at most.
        downloads_at_most: null: any number of times.
    """

    label: Annotated[Text, Field(max_length=200)] = ""
    password: Annotated[Text, Field(max_length=PASSWORD_AT_MOST)] = ""
    expires_at: Moment | None = None
    downloads_at_most: Annotated[int, Field(ge=1, le=DOWNLOADS_AT_MOST)] | None = None

    def given(self) -> dict[str, Any]:
        """As the service takes it."""
        return {
            "label": self.label,
            "password": self.password,
            "expires_at": in_utc(self.expires_at) if self.expires_at else None,
            "downloads_at_most": self.downloads_at_most,
        }


class TermsOfMany(Terms):
    """The same for many documents, each of which gets a link of its own.

    Attributes:
        ids: their numbers; what is named twice gets one link.
    """

    ids: Annotated[list[Key], Field(min_length=1, max_length=AT_MOST)]


class ShareAnswer(BaseModel):
    """A link, as it stands. What stands in its address was told once, to who made it.

    Attributes:
        document: the number of the document.
        hint: the last characters of its address.
        suspended_why: `file_missing` or `maker`: its file is not in storage, or who made it may not share the document any more;
            empty: neither, so that a link is suspended by the status of its document.
        downloads: how often the document was fetched by it.
    """

    id: int
    document: int
    status: ShareStatus
    label: str
    hint: str
    has_password: bool
    expires_at: datetime
    downloads_at_most: int | None
    downloads: int
    last_used_at: datetime | None
    created_by: Person | None
    created_at: datetime
    revoked_by: Person | None
    revoked_at: datetime | None
    suspended_why: str

    @classmethod
    def said(cls, link: ShareLink, *, at: datetime) -> dict[str, Any]:
        """What there is to be told of it."""
        return {
            "id": link.pk,
            "document": link.document_id,
            "status": link.state_at(at).value,
            "label": link.label,
            "hint": link.hint,
            "has_password": link.has_password,
            "expires_at": link.expires_at,
            "downloads_at_most": link.downloads_at_most,
            "downloads": link.downloads,
            "last_used_at": link.last_used_at,
            "created_by": Person.of(link.created_by),
            "created_at": link.created_at,
            "revoked_by": Person.of(link.revoked_by),
            "revoked_at": link.revoked_at,
            "suspended_why": link.suspended_why,
        }

    @classmethod
    def of(cls, link: ShareLink, *, at: datetime) -> "ShareAnswer":
        return cls(**cls.said(link, at=at))


class NewShare(ShareAnswer):
    """A link that was just made.

    Attributes:
        url: its address, to be passed on. It is told this once, and nobody can tell it again.
    """

    url: str

    @classmethod
    def of_new(cls, new: NewLink, *, at: datetime) -> "NewShare":
        return cls(**cls.said(new.link, at=at), url=new.url)


class SharedOne(BaseModel):
    """What became of one document.

    Attributes:
        id: the number of the document.
        share: null: there is no link.
        code, detail: why there is none.
    """

    id: int
    share: NewShare | None
    code: str
    detail: str

    @classmethod
    def of(cls, made: MadeOfOne, *, at: datetime) -> "SharedOne":
        share = NewShare.of_new(made.new, at=at) if made.new else None
        return cls(id=made.document_id, share=share, code=made.code, detail=made.message)


class SharedMany(BaseModel):
    """What became of all of them, in their order."""

    done: int
    refused: int
    items: list[SharedOne]


class ListedShares(Paged):
    """Which links; all of it has to hold. The last one that was made comes first.

    Attributes:
        document: the number of a document.
    """

    document: Key | None = None
    status: ShareStatus | None = None


@router.get("/shares/", response=Page[ShareAnswer], url_name="document_shares_of_all")
@of_list
def found_shares(
    request: HttpRequest, response: HttpResponse, wanted: Annotated[ListedShares, Query()]
) -> Page[ShareAnswer]:
    """Links to the documents that who asks may share, and those that they have made.

    Raises:
        PermissionDenied, CursorUnknown: nothing was looked for.
    """
    found, at = links_visible_to(_sharing(request)).select_related(*SHOWN), now()
    if wanted.document is not None:
        found = found.filter(document=wanted.document)
    if wanted.status is not None:
        found = found.filter(pk__in=ShareLink.objects.in_state(LinkState(wanted.status), at=at).values("pk"))
    some = page(found, order=["-pk"], cursor=wanted.cursor, limit=wanted.limit, total=wanted.total)
    return some.shown(lambda link: ShareAnswer.of(link, at=at)).told(request, response)


@router.post("/shares/", response=SharedMany, url_name="document_shares_of_all")
def share_many(request: HttpRequest, response: HttpResponse, wish: Annotated[TermsOfMany, Body()]) -> SharedMany:
    """Make a link to each of many documents, under the same terms. The addresses are told this once.

    Raises:
        PermissionDenied: the person has nothing to do with documents.
        Refused: see `documents.services.shares.make_many`; no link was made.
    """
    user, at = asking(request), now()
    ids = list(dict.fromkeys(wish.ids))
    seen = set(visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    made = {
        each.document_id: each
        for each in shares.make_many(
            document_ids=[each for each in ids if each in seen], by=user, at=at, **wish.given()
        )
    }
    results = [SharedOne.of(made.get(each) or _gone(each), at=at) for each in ids]
    _shown_once(response)
    done = sum(each.share is not None for each in results)
    return SharedMany(done=done, refused=len(results) - done, items=results)


@router.get("/shares/{int:share_id}/", response=ShareAnswer, url_name="document_share")
def one_share(request: HttpRequest, share_id: int) -> ShareAnswer:
    """A link, as it stands.

    Raises:
        PermissionDenied, LinkGone: there is nothing to see.
    """
    found = links_visible_to(_sharing(request)).select_related(*SHOWN).filter(pk=share_id).first()
    if found is None:
        raise LinkGone
    return ShareAnswer.of(found, at=now())


@router.delete("/shares/{int:share_id}/", response=ShareAnswer, url_name="document_share")
def revoke_share(request: HttpRequest, share_id: int) -> ShareAnswer:
    """Take a link back: it opens nothing from now on. Once more it changes nothing.

    Raises:
        PermissionDenied, LinkGone: nothing was changed.
    """
    at = now()
    return ShareAnswer.of(shares.revoke(link_id=share_id, by=_sharing(request), at=at), at=at)


@router.get("/{int:document_id}/shares/", response=Page[ShareAnswer], url_name="document_shares")
def shares_of_one(
    request: HttpRequest, response: HttpResponse, document_id: int, wanted: Annotated[Paged, Query()]
) -> Page[ShareAnswer]:
    """The links to a document, for who may share it or has made them. The last one that was made comes first.

    Raises:
        PermissionDenied, RecordGone, CursorUnknown: there is nothing to see.
    """
    user, at = _sharing(request), now()
    there(user, document_id)
    found = links_visible_to(user).select_related(*SHOWN).filter(document=document_id)
    some = page(found, order=["-pk"], cursor=wanted.cursor, limit=wanted.limit, total=wanted.total)
    return some.shown(lambda link: ShareAnswer.of(link, at=at)).told(request, response)


@router.post("/{int:document_id}/shares/", response={HTTPStatus.CREATED: NewShare}, url_name="document_shares")
def share_one(
    request: HttpRequest,
    response: HttpResponse,
    document_id: int,
    wish: Annotated[Terms, Body()] = Terms(),  # noqa: B008 - it never changes
) -> Answered[NewShare]:
    """Make a link by which people outside get the current version. Its address is told this once.

    Raises:
        PermissionDenied, RecordGone: there is no such document.
        Refused: see `documents.services.shares.make`.
    """
    user, at = asking(request), now()
    there(user, document_id)
    new = shares.make(document_id=document_id, by=user, at=at, **wish.given())
    _shown_once(response)
    response["Location"] = here(request, "document_share", new.link.pk)
    return Answered(HTTPStatus.CREATED, NewShare.of_new(new, at=at))


def _sharing(request: HttpRequest) -> User:
    """Who asks, if they have to do with links: they may make some, or have made some.

    Raises:
        PermissionDenied: they have not.
    """
    user = asking(request)
    if not user.has_perm(SHARE) and not links_visible_to(user).exists():
        raise PermissionDenied("You do not have the permission to see links to documents. Ask an administrator.")
    return user


def _shown_once(response: HttpResponse) -> None:
    """Nobody keeps the answer, not even for who sends the same wish once more."""
    response["Cache-Control"] = "no-store"


def _gone(document_id: int) -> MadeOfOne:
    """Of others nobody is told that there is one."""
    return MadeOfOne(document_id=document_id, code=RecordGone.code, message=RecordGone.sentence())
