"""What the console shows of documents: read like a table, and said once the apps are there."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest

from console import kinds
from console.kinds import Kind, Tally
from console.machine.badges import CLOCK, TICK, WARNING
from console.shell import navigation, people
from console.shell.navigation import Frame
from console.shell.people import Farewell
from documents.admin import of_lease
from documents.admin.documents import DocumentAdmin
from documents.admin.quotas import QuotaAdmin
from documents.admin.shares import ShareLinkAdmin
from documents.models import Batch, Document, Quota, ShareLink
from documents.states import State
from leases import sections

LISTS = {
    Quota: QuotaAdmin,
    ShareLink: ShareLinkAdmin,
}
FRAME = Frame(belongs={"admin:documents_document_changelist": ("documents/sharelink/", "documents/quota/")})
DOCUMENTS = Kind(
    machine=Document,
    shown=DocumentAdmin,
    batch=Batch,
    signs={
        State.RECEIVED: CLOCK,
        State.PENDING: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9M10.5 10.5L14 14",
        State.ACTIVE: TICK,
        State.ARCHIVED: "M2 3h12v3H2zM3 6v8h10V6M6 9h4",
        State.ERROR: WARNING,
    },
    order=35,
    tallies=(
        Tally(
            label="Documents held back",
            which=Q(state=State.ERROR),
            narrowed={"state__exact": State.ERROR},
        ),
    ),
)


def _nothing(_request: HttpRequest, _person: User) -> None:
    """Whoever has documents is not deleted, which the database sees to; the rest has nothing to say."""


def declare() -> None:
    """Put it in the console."""
    kinds.put(DOCUMENTS)
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    sections.put("documents", of_lease.section)
    navigation.put("documents.sharelink", FRAME)
    people.say_farewell(Farewell(before=_nothing, goes_along=(Quota,)))
