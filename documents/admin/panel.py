"""What the page of a document says beyond that of any record: its file, its versions, and what keeps it from either."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import override

from django.contrib.auth.models import User
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils.html import format_html

from console.machine.panel import GONE_PERSON, HISTORY_SHOWN, Event, Fact, Note, Panel
from console.records.links import record_url
from console.shell.times import ago
from core.base.clock import now
from core.base.errors import Refused, words_for
from core.base.sizes import size_text
from documents.admin.places import download_url, public_url, restore_url, share_url
from documents.classify import fits
from documents.models import Document, DocumentVersion, ShareLink
from documents.queries import links_visible_to, missing_keys
from documents.services.rights import SEE_LEASES, may_share, require_change
from documents.states import State
from statemachine.transitions import Actor, authorise
from storage.backends.types import type_of

VERSIONS_SHOWN = 50
MISSING = (
    "The file of the current version is not in storage. Nothing is deleted because of that: when it is back, the "
    "document goes on as before. Until then an earlier version may be there."
)

OTHER = (
    "By what it holds, the file is {found}; by its name, or by who sent it, {said}. Look whether it is the right one."
)
KEPT = "Archived: it stays with all its versions until it is restored, or somebody deletes it for good."
EMPTY = "The file is empty. Look whether it is the right one."
METADATA_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A version, as the table shows it.

    Attributes:
        finding: what was found in it, in a few words.
        download_url: empty where it is not handed out.
        restore_url: empty where the person cannot let it be the current one again.
    """

    version: DocumentVersion
    size: str
    why: str
    finding: str
    is_missing: bool
    download_url: str
    restore_url: str


class DocumentPanel(Panel[Document]):
    """One document, as one person may see it."""

    # --- Beside the buttons -----------------------------------------------------------------------------------------

    @property
    def notes(self) -> Iterator[Note]:
        document = self.record
        if document.is_checked_out_at(now()):
            words = format_html(
                "Checked out by {}; that ends {}.", document.checked_out_by, ago(document.checked_out_until)
            )
            yield Note(words=words)
        if document.state == State.ARCHIVED and not document.purge_at:
            yield Note(words=KEPT)
        if document.purge_at:
            yield Note(
                words=format_html("It is deleted for good {}. Restore it to keep it.", ago(document.purge_at)),
                is_doubt=True,
            )

    @property
    @override
    def has_main(self) -> bool:
        """Nothing is wanted most of an active document but its file."""
        return any(self.record.state in offer.button.first_in for offer in self.offered[:1])

    @property
    def is_download_main(self) -> bool:
        """Whether the way to the file is what stands out."""
        return str(self.record.state) == State.ACTIVE

    @property
    def about(self) -> Iterator[Fact]:
        document = self.record
        yield Fact(label="Owner", value=document.owner)
        if document.lease and self.user.has_perm(SEE_LEASES):
            page = record_url(document.lease, self.user)
            yield Fact(label="Lease", value=format_html('<a href="{}">{}</a>', page, document.lease))
        public: str = format_html('<a href="{}">Yes, at this address</a>', public_url(document))
        if document.state != State.ACTIVE:
            public = "Yes, but nobody outside gets it before it is active"
        yield Fact(label="Public", value=public if document.is_public else "No")
        for name, value in [*document.metadata.items()][:METADATA_SHOWN]:
            yield Fact(label=name, value=value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

    # --- What happened ----------------------------------------------------------------------------------------------

    @property
    @override
    def events(self) -> Iterator[Event]:
        """What became of its links: a link is no part of the document, so none of it stands in its log."""
        latest = Greatest("created_at", "revoked_at", "last_used_at")
        theirs = links_visible_to(self.user).filter(document=self.record).select_related("created_by", "revoked_by")
        for link in theirs.order_by(latest.desc())[:HISTORY_SHOWN]:
            yield from _events_of(link, shown_to=self.user)

    # --- The file ---------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        return self.record.mime_type

    @property
    def size(self) -> str:
        return size_text(self.record.size_bytes)

    @cached_property
    def warnings(self) -> list[str]:
        """What keeps the file from being had, or is to be known before."""
        shown = next((each for each in self.versions if each.version.number == self.record.current), None)
        found = [MISSING] if shown and shown.is_missing else []
        if shown and shown.version.verified_at:
            version = shown.version
            said = (version.declared_type, type_of(version.name))
            wrong = next((each for each in said if each and not fits(each, version.mime_type)), "")
            found += [OTHER.format(found=version.mime_type, said=wrong)] if wrong else []
            found += [] if version.size else [EMPTY]
        return found

    @cached_property
    def may_add_version(self) -> bool:
        """Whether the person can make another version now; whoever does it asks again."""
        try:
            require_change(self.record, by=self.user)
            authorise(self.record, "add_version", Actor.person(self.user))
        except Refused:
            return False
        return True

    @property
    def version_url(self) -> str:
        """Where a file becomes the next version; empty for who cannot send one now."""
        return reverse("admin:documents_document_version", args=[self.record.pk]) if self.may_add_version else ""

    @property
    def download_url(self) -> str:
        return next((each.download_url for each in self.versions if each.version.number == self.record.current), "")

    @property
    def share_url(self) -> str:
        """Where it is shared with people outside; empty for who may not do that."""
        return share_url(self.record) if may_share(self.record, by=self.user) else ""

    @cached_property
    def links(self) -> int:
        """How many links to it have not ended."""
        return self.record.links.not_ended(at=now()).count()

    @cached_property
    def versions(self) -> list[VersionRow]:
        """The newest first."""
        newest = self.record.versions.select_related("created_by").order_by("-number")[:VERSIONS_SHOWN]
        found = list(newest)
        missing = missing_keys(each.key for each in found)
        return [self._row(each, is_missing=each.key in missing) for each in found]

    @cached_property
    def more_versions(self) -> int:
        """How many are not shown."""
        if len(self.versions) < VERSIONS_SHOWN:
            return 0
        return self.record.versions.count() - VERSIONS_SHOWN

    def _row(self, version: DocumentVersion, *, is_missing: bool) -> VersionRow:
        may_be_had = version.may_be_served and not is_missing
        restored = f"version {version.restored_from} restored" if version.restored_from else ""
        may_be_current = may_be_had and self.may_add_version and version.number != self.record.current
        return VersionRow(
            version=version,
            size=size_text(version.size),
            why=": ".join(each for each in (restored, version.why) if each),
            finding=words_for(version.finding) if version.finding else "",
            is_missing=is_missing,
            download_url=download_url(version) if may_be_had else "",
            restore_url=restore_url(version) if may_be_current else "",
        )


def _events_of(link: ShareLink, *, shown_to: User) -> Iterator[Event]:
    page = record_url(link, shown_to)
    name = format_html('<a href="{}">“{}”</a>', page, link) if page else f"“{link}”"
    made = format_html("{} made the link {} for people outside", link.created_by or GONE_PERSON, name)
    yield Event(words=made, at=link.created_at)
    if link.left == 0:
        yield Event(words=format_html("{} was used as often as it may be", name), at=link.last_used_at)
    if link.revoked_at:
        revoked = format_html("{} revoked the link {}", link.revoked_by or GONE_PERSON, name)
        yield Event(words=revoked, at=link.revoked_at)
