"""What leaves a line in a document's history without a transition."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from documents.errors import UniqueNameTaken
from documents.models import Document
from documents.services import documents
from documents.services.bulk import bulk
from documents.states import State
from statemachine.models import TransitionLog
from tests.documents.making import stored, verified
from tests.factories import settled

pytestmark = pytest.mark.django_db


def edits(document: Document) -> list[tuple[str, str, str]]:
    """Who did what, and what was changed; the oldest first."""
    rows = TransitionLog.objects.of(document).filter(transition__in=Document.edits).select_related("actor")
    assert not any(row.is_move for row in rows)
    return [(str(row.actor), row.transition, row.reason) for row in rows]


class TestChange:
    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"name": "b.pdf"}, "name “a.pdf”, now “b.pdf”"),
            ({"unique_name": "the-deed"}, "unique name “deed”, now “the-deed”"),
            ({"is_public": True}, "public from now on"),
            ({"metadata": {"book": 2, "page": 1}}, "metadata: book, page"),
            ({"metadata": {"book": 1} | {f"k{each}": 0 for each in range(11)}}, " and others"),
            ({"name": "b.pdf", "is_public": True, "metadata": {}}, "; public from now on; metadata: book"),
        ],
    )
    def test_tells_what_it_was_and_is(self, opal: User, said: dict[str, Any], told: str) -> None:
        document = verified(opal, name="a.pdf", metadata={"book": 1})
        documents.change(document_id=document.pk, by=opal, unique_name="deed")

        documents.change(document_id=document.pk, by=opal, **said)

        who, what, why = edits(document)[-1]
        assert (who, what) == ("operator", "change")
        assert told in why

    def test_names_no_lease_to_who_may_see_none(self, opal: User) -> None:
        document, first, second = verified(opal), settled(opal), settled(opal, lease_number="NMNM 2")

        for lease in (first.pk, second.pk, None):
            documents.change(document_id=document.pk, by=opal, lease_id=lease, is_public=False)

        assert [why for _who, _what, why in edits(document)] == [
            "put to a lease",
            "moved to another lease",
            "taken from its lease",
        ]

    def test_tells_when_it_ends_to_be_public(self, opal: User) -> None:
        document = verified(opal)
        for is_public in (True, True, False):
            documents.change(document_id=document.pk, by=opal, is_public=is_public)

        assert [why for _who, _what, why in edits(document)] == ["public from now on", "no longer public"]

    def test_tells_nothing_of_what_was_refused(self, opal: User) -> None:
        taken, document = verified(opal), verified(opal)

        with pytest.raises(UniqueNameTaken):
            documents.change(document_id=document.pk, by=opal, unique_name=taken.unique_name)

        assert edits(document) == []

    def test_is_told_of_what_is_being_verified_too(self, opal: User) -> None:
        document = stored(opal)
        assert document.state == State.PENDING

        documents.change(document_id=document.pk, by=opal, name="b.pdf")

        assert [what for _who, what, _why in edits(document)] == ["change"]
        assert TransitionLog.objects.of(document).last().generation == Document.objects.get().generation  # type: ignore[union-attr]

    def test_is_told_of_each_of_many(self, opal: User) -> None:
        both = [verified(opal), verified(opal)]

        bulk(action="change", document_ids=[each.pk for each in both], by=opal, is_public=True)

        assert [edits(each) for each in both] == [[("operator", "change", "public from now on")]] * 2


class TestCheckOut:
    def test_is_told_with_its_end_and_who_ended_it(self, opal: User, ada: User) -> None:
        document = verified(opal)
        held = documents.check_out(document_id=document.pk, by=opal)
        documents.check_in(document_id=document.pk, by=opal)
        documents.check_out(document_id=document.pk, by=opal)

        documents.check_in(document_id=document.pk, by=ada)

        told = edits(document)
        assert told[0] == ("operator", "check_out", f"until {held.checked_out_until:%Y-%m-%d %H:%M} UTC")
        assert told[1] == ("operator", "check_in", "")
        assert told[3] == (str(ada), "check_in", "operator had checked it out")

    def test_changes_nothing_where_nobody_has_it(self, opal: User) -> None:
        document = verified(opal)

        same = documents.check_in(document_id=document.pk, by=opal)

        assert (edits(document), same.generation) == ([], document.generation)
