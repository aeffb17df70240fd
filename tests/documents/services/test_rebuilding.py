"""The database is lost, and made anew from what lies in storage."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from documents import sidecars
from documents.models import Document, DocumentSidecar, OwedSidecar, Quota, ShareLink
from documents.services import quotas, writing
from documents.states import State
from storage.models import Action, IndexRun
from tests.documents.making import Files, stored, verified, worked
from tests.documents.services.lost import differing, house, lose, reseal, rows, told
from tests.documents.services.test_writing import key
from tests.documents.test_index import index

pytestmark = pytest.mark.django_db


class TestFromNothing:
    def test_all_rows_are_as_they_were(self, ada: User, opal: User, files: Files, settings: Any) -> None:
        settings.DOCUMENTS_TYPE_MISMATCH = "refuse"
        house(ada, opal)
        before = rows()
        assert {row["state"] for row in before.values() if "state" in row} == set(State.values)
        lose()
        assert not rows()

        run = index("sync")

        assert run.counts["records_restored"] == 6 + 2
        assert told(run) == []
        assert differing(rows(), before) == {}
        assert not OwedSidecar.objects.filter(document_id__isnull=False).exists()
        # And the house goes on: with numbers behind all others, and sidecars over those that lie there.
        assert stored(opal, b"new").pk > max(row["id"] for row in before.values() if "state" in row)
        writing.write_owed()
        assert not DocumentSidecar.objects.exclude(why_not="").exists()
        assert index("sync").counts.get("records_restored", 0) == 0

    def test_people_and_leases_that_are_gone_are_told(self, ada: User, opal: User, files: Files) -> None:
        _, lease = house(ada, opal)
        names = {ada.pk: ada.username, opal.pk: opal.username}
        left = frozenset({"lease_id", "suspended_at", "suspended_why"})
        before = rows(leave=left)
        lose(people=True)
        output = StringIO()

        with pytest.raises(SystemExit) as ended:
            call_command("rebuild_index", "--mode", "sync", stdout=output)

        assert ended.value.code == 1
        assert differing(rows(leave=left), before) == {}
        people = User.objects.filter(pk__in=names)
        assert {each.pk: each.username for each in people} == names
        assert not any(each.is_active or each.has_usable_password() or each.is_superuser for each in people)
        text = output.getvalue()
        assert "records brought back" in text
        assert f"Person {opal.pk} was not there, and was made anew as “{opal.username}”" in text
        assert f"Its lease, BLM {lease.lease_number}, is not there." in text
        # Nobody who is let in nowhere opens anything.
        assert set(ShareLink.objects.filter(revoked_at=None).values_list("suspended_why", flat=True)) == {"maker"}

    def test_a_dry_run_says_the_same_and_leaves_nothing(self, ada: User, opal: User, files: Files) -> None:
        house(ada, opal)
        before = rows()
        lose()

        audit = index("audit")

        assert audit.counts["records_restored"] == 8
        assert not Document.objects.exists()
        output = StringIO()
        with pytest.raises(SystemExit):
            call_command("rebuild_index", "--apply", str(audit.pk), stdout=output)
        assert IndexRun.objects.get(pk=audit.pk).counts["records_restored"] == 8
        assert rows().keys() == before.keys()

    def test_goes_on_where_a_slice_has_left_off(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            stored(opal, f"{number}".encode())
        writing.write_owed()
        lose()
        monkeypatch.setattr("documents.services.following.AT_ONCE", 2)
        monkeypatch.setattr("statemachine.reactions.Run.is_time_up", True)

        assert index("sync").counts["records_restored"] == 5


class TestWhatIsBelieved:
    """Whoever has the disk can write anything there."""

    def test_is_all_of_it_only_with_its_seal(self, ada: User, opal: User, files: Files) -> None:
        document, _ = house(ada, opal)
        text = files[key(document)].read_text().replace('"is_public": false', '"is_public": true')
        files[key(document)].write_text(text)
        lose()

        run = index("sync")

        found = Document.objects.get(pk=document.pk)
        assert (found.is_public, found.state, found.verified_at, found.lease) == (False, "pending", None, None)
        assert not found.links.exists()
        assert [each.may_be_served for each in found.versions.all()] == [False] * 3
        assert told(run)[0].startswith("It has no seal of ours")
        assert worked(found).state == State.ACTIVE

    def test_makes_nobody_and_gives_nothing_to_anybody_else_without_it(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        other = files[key(document)].read_text().replace(f'"owner_id": {opal.pk}', '"owner_id": 999999')
        target = files["999999/documents/77/document.json"]
        target.parent.mkdir(parents=True)
        target.write_text(
            other.replace(f'"id": {document.pk},\n  "unique', '"id": 77,\n  "unique').replace(
                f'"{opal.pk}": {{', '"999999": {'
            )
        )
        lose()

        run = index("sync")

        assert [each.pk for each in Document.objects.all()] == [document.pk]
        assert not User.objects.filter(pk=999999).exists()
        assert len(told(run)) == 1

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda it: it["versions"][0].update(key="1/documents/1/1/x"), "outside of the folder"),
            (lambda it: it["versions"][0].update(key=it["versions"][0]["key"].replace("/1/", "/1/../../")), "outside"),
            (lambda it: it["document"].update(id=4711), "lies in another folder"),
            (lambda it: it["document"].update(owner_id=4711), "lies in another folder"),
            (lambda it: it["document"].update(current=7), "a version that is not there"),
            (lambda it: it["document"].update(last_number=0), "never given"),
            (lambda it: it["versions"].append(it["versions"][0]), "a version twice"),
            (lambda it: it.update(people={}), "a person who is not named"),
            (lambda it: it["document"].update(name="a\0b"), "document.name"),
            (lambda it: it["document"].update(name="a/b"), "slash"),
            (lambda it: it["document"].update(unique_name="admin"), "kept for something else"),
            (lambda it: it["document"].update(metadata={"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}), "levels"),
            (lambda it: it["document"].update(is_superuser=True), "is_superuser"),
            (lambda it: it["document"].update(verified_at=None), "does not take"),
            (lambda it: it["versions"][0].update(size=-1), "versions.0.size"),
            (lambda it: it.update(format=2), "Upgrade Runsheet"),
            (lambda it: it.update(format="1"), "which format"),
            (lambda it: it.pop("links"), "links"),
        ],
    )
    def test_is_nothing_that_contradicts_itself(
        self, opal: User, files: Files, change: Callable[[dict[str, Any]], object], why: str
    ) -> None:
        document = verified(opal)
        writing.write_owed()
        reseal(files, document, change)
        lose()

        run = index("sync")

        assert not Document.objects.exists()
        assert why in told(run)[0]
        assert files[key(document)].exists()  # left for whoever can mend it

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"null",
            b"[" * 100_000,
            b'{"format": 1e999}',
            b"\xff\xfe",
            b'{"format": 1, "a": "\\ud800"}',
            b"half",
        ],
    )
    def test_is_nothing_that_is_half_written_or_no_sidecar(self, opal: User, files: Files, content: bytes) -> None:
        document = verified(opal)
        writing.write_owed()
        whole = files[key(document)].read_bytes()
        files[key(document)].write_bytes(content if content != b"half" else whole[: len(whole) // 2])
        lose()

        run = index("sync")

        assert not Document.objects.exists()
        assert len(told(run)) == 1
        files[key(document)].write_bytes(whole)
        assert index("sync").counts["records_restored"] == 1

    def test_is_bounded(self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        document = verified(opal)
        writing.write_owed()
        lose()
        monkeypatch.setattr(sidecars, "AT_MOST_BYTES", 100)

        assert "more than 100 bytes" in told(index("sync"))[0]
        monkeypatch.undo()
        huge = files[f"{opal.pk}/documents/9223372036854775806/document.json"]
        huge.parent.mkdir(parents=True)
        huge.write_bytes(files[key(document)].read_bytes())
        assert told(index("sync"))[-1].startswith("Nobody has ever given such a number")

    def test_is_no_symbolic_link(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        outside = files.directory.parent / "outside.json"
        files[key(document)].replace(outside)
        files[key(document)].symlink_to(outside)
        lose()

        run = index("sync")

        assert not Document.objects.exists()
        assert run.changes.filter(action=Action.ANOMALY, etag="link", key=key(document)).exists()


class TestLimits:
    def test_are_believed_only_with_their_seal_and_of_whom_they_speak(
        self, ada: User, opal: User, files: Files
    ) -> None:
        quotas.limit(owner_id=opal.pk, limit_bytes=17)
        writing.write_owed()
        mine = files[f".runsheet-quotas/people/{opal.pk}.json"]
        files[f".runsheet-quotas/people/{ada.pk}.json"].write_bytes(mine.read_bytes())
        files[".runsheet-quotas/people/3.json"].write_bytes(b"{")
        mine.write_text(mine.read_text().replace("17", "1700"))
        lose()

        run = index("sync")

        assert not Quota.objects.exists()
        assert len(told(run)) == 3
