"""The database is lost, and made anew from what lies in storage."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from core.base.clock import now
from documents import sidecars
from documents.models import Document, DocumentSidecar, DocumentVersion, OwedSidecar, Quota, ShareLink
from documents.services import documents, quotas, shares, uploads, writing
from documents.states import State
from leases.models import Lease
from storage.models import Action, IndexChange, IndexRun, StoredFile
from tests.documents.making import PDF, Files, stored, verified, worked
from tests.documents.services.test_writing import key
from tests.documents.test_index import index
from tests.factories import settled

pytestmark = pytest.mark.django_db

ROWS = ("documents_document", "documents_documentversion", "documents_sharelink", "documents_quota")
# Of the engine's line, which is made anew; and what the settling of links finds out by itself.
BESIDE = {
    "turn",
    "due_at",
    "rung_at",
    "claimed_until",
    "initiated_by_id",
    "owed_by_id",
    "background",
    "due_reason",
    "tries",
}
BESIDE |= {"verified_bytes", "failure_notice_id"}


def rows(*, leave: frozenset[str] = frozenset()) -> dict[str, dict[str, Any]]:
    """All that the tables say."""
    said = {}
    for table in ROWS:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT to_jsonb(it) FROM {table} it ORDER BY id")
            found = [json.loads(row) if isinstance(row, str) else row for (row,) in cursor.fetchall()]
        of_quota = {"id"} if table == "documents_quota" else set()
        said[table] = [{k: v for k, v in row.items() if k not in BESIDE | leave | of_quota} for row in found]
    for row in said["documents_document"]:
        if row["state"] == State.PENDING:  # what is owed is rung for anew
            del row["generation"]
    said["documents_quota"].sort(key=lambda row: (row["user_id"] or 0, row["agency"]))
    return {f"{table} {row.get('id', place)}": row for table, some in said.items() for place, row in enumerate(some)}


def differing(now_: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What is not as it was: of each row the columns, or that it is there once only."""
    found: dict[str, Any] = dict.fromkeys(now_.keys() ^ before.keys(), "only once")
    for name in now_.keys() & before.keys():
        columns = {k: (before[name][k], v) for k, v in now_[name].items() if before[name][k] != v}
        found |= {name: columns} if columns else {}
    return found


def lose(*, people: bool = False) -> None:
    """The tables are empty, as in a new database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for model in (DocumentSidecar, OwedSidecar, ShareLink, DocumentVersion, Quota, StoredFile, IndexRun, IndexChange):
        model.objects.all().delete()
    Document.objects.all().delete()
    OwedSidecar.objects.all().delete()
    if people:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM leases_lease; DELETE FROM auth_user_groups; DELETE FROM auth_user")
            cursor.execute("SET session_replication_role = DEFAULT")


def told(run: IndexRun) -> list[str]:
    return list(
        run.changes.filter(action=Action.ANOMALY, etag="follows").order_by("number").values_list("detail", flat=True)
    )


def reseal(files: Files, document: Document, change: Callable[[dict[str, Any]], object]) -> None:
    """Write what stands there anew, as whoever knows SECRET_KEY would."""
    payload = json.loads(files[key(document)].read_bytes())
    payload.pop("seal")
    change(payload)
    files[key(document)].write_bytes(sidecars.in_full(payload))


def house(ada: User, opal: User) -> tuple[Document, Lease]:
    """Documents in every state, with versions, links and quotas."""
    lease = settled(opal)
    first = verified(opal, lease_id=lease.pk, metadata={"page": 1.5, "of": ["ä", None]})
    uploads.add_version(document_id=first.pk, by=opal, chunks=[PDF, b"2"], length=None, name="second.pdf", why="better")
    worked(first)
    documents.restore_version(document_id=first.pk, number=1, by=opal)
    worked(first)
    documents.check_out(document_id=first.pk, by=opal)
    made = shares.make(
        document_id=first.pk, by=ada, at=now(), label="For Bob", password="long enough", downloads_at_most=3
    )
    ShareLink.objects.filter(pk=made.link.pk).update(downloads=2, last_used_at=now())
    shares.revoke(link_id=shares.make(document_id=first.pk, by=ada, at=now()).link.pk, by=ada, at=now())
    documents.change(document_id=verified(ada).pk, by=ada, is_public=True, unique_name="Known-To-All")
    gone = verified(ada, b"archived")
    documents.archive(document_id=gone.pk, by=ada)
    documents.purge(document_id=gone.pk, by=ada)
    held_back = stored(opal, b"<html>", name="a.pdf", declared_type="application/pdf")
    worked(held_back)
    stored(opal, b"pending")
    documents.cancel(document_id=stored(opal, b"stopped").pk, by=opal)
    quotas.limit(owner_id=opal.pk, limit_bytes=10**9)
    quotas.limit(agency="BLM", limit_bytes=10**10)
    writing.write_owed()
    return Document.objects.get(pk=first.pk), lease


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


class TestTwoThatClaimTheSame:
    def test_number_of_another_person(self, ada: User, opal: User, files: Files) -> None:
        first, second = verified(opal), verified(ada)
        writing.write_owed()
        folder = files[key(second)].parent
        reseal(
            files,
            second,
            lambda it: (
                it["document"].update(id=first.pk),
                it["versions"][0].update(key=f"{ada.pk}/documents/{first.pk}/1/x"),
            ),
        )
        folder.rename(folder.parent / str(first.pk))
        before = files.all()
        lose()

        run = index("sync")

        assert Document.objects.count() == 1
        assert any("Another document has its number" in each for each in told(run))
        assert files.all().keys() - before.keys() == {".runsheet-root"}

    def test_uuid_is_a_copy(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        number = document.pk + 1
        copied = files[f"{opal.pk}/documents/{number}/document.json"]
        copied.parent.mkdir()
        copied.write_bytes(files[key(document)].read_bytes())
        other = Document(pk=number, owner=opal)
        reseal(
            files,
            other,
            lambda it: (it["document"].update(id=number, current=0, state="received"), it.update(versions=[])),
        )
        lose()

        run = index("sync")

        assert [each.pk for each in Document.objects.all()] == [document.pk]
        assert any("copy of its folder" in each for each in told(run))

    def test_unique_name_and_numbers_of_rows(self, ada: User, opal: User, files: Files) -> None:
        document = verified(opal)
        shares.make(document_id=document.pk, by=ada, at=now())
        writing.write_owed()
        lose()
        other = verified(ada)
        Document.objects.filter(pk=other.pk).update(unique_name=document.unique_name.upper())
        version = DocumentVersion.objects.get()
        reseal(files, document, lambda it: it["versions"][0].update(id=version.pk))

        run = index("sync")

        found = Document.objects.get(pk=document.pk)
        assert found.unique_name != document.unique_name
        assert found.versions.get().pk != version.pk
        assert any("has the unique name" in each for each in told(run))

    def test_number_of_a_person(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        lose()
        User.objects.filter(pk=opal.pk).update(username="bob", date_joined=now() - timedelta(days=1))

        run = index("sync")

        assert not Document.objects.exists()
        assert told(run) == [f"Person {opal.pk} was “{opal.username}”, and is “bob” now: nothing becomes theirs."]
        assert document.pk


class TestWhileThereAreRows:
    def test_an_edit_is_written_over(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        index("sync")
        whole = json.loads(files[key(document)].read_bytes())
        files[key(document)].write_text(json.dumps(whole | {"document": whole["document"] | {"is_public": True}}))

        run = index("sync")

        assert told(run) == ["Somebody has changed it. What the database says holds, and is written there anew."]
        assert not Document.objects.get().is_public
        writing.write_owed()
        assert not json.loads(files[key(document)].read_bytes())["document"]["is_public"]

    def test_an_older_one_that_was_put_back_is_written_over(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        old = files[key(document)].read_bytes()
        documents.archive(document_id=document.pk, by=opal)
        writing.write_owed()
        index("sync")
        files[key(document)].write_bytes(old)

        assert told(index("sync")) == []

        writing.write_owed()
        assert json.loads(files[key(document)].read_bytes())["document"]["state"] == "archived"

    def test_of_an_old_copy_of_the_database_get_back_what_they_lack(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"newer"], length=5)
        worked(document)
        writing.write_owed()
        used = Quota.objects.get(user=opal).used_bytes
        DocumentVersion.objects.filter(number=2).delete()
        Document.objects.update(current=1, last_number=1, size_bytes=len(PDF))
        DocumentSidecar.objects.update(edition=1)
        Quota.objects.update(used_bytes=len(PDF))

        run = index("sync")

        assert [each.number for each in document.versions.order_by("number")] == [1, 2]
        assert Document.objects.get().last_number == 2
        assert Quota.objects.get(user=opal).used_bytes == used
        assert "1 versions that were missing are back" in told(run)[0]
        OwedSidecar.objects.update(due_at="2020-01-01T00:00Z")
        assert writing.write_owed() == 1

    def test_another_documents_sidecar_stays(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        Document.objects.update(uuid="00000000-0000-4000-8000-000000000000")
        before = files[key(document)].read_bytes()

        run = index("sync")

        assert "another document's, whose number was given once more" in told(run)[0]
        assert files[key(document)].read_bytes() == before


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


class TestFilesOutside:
    def test_with_another_size_are_verified_anew_as_the_rows_come_back(self, opal: User, files: Files) -> None:
        document = verified(opal)
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"two"], length=3)
        worked(document)
        writing.write_owed()
        for version in document.versions.all():
            files[version.key].write_bytes(b"other bytes")
        lose()

        run = index("sync")

        found = worked(Document.objects.get())
        assert (found.state, found.failure_code) == (State.ERROR, "file_changed")
        assert {each.finding for each in found.versions.all()} == {"file_changed"}
        assert len(told(run)) == 2


class TestNumbers:
    def test_whose_folder_holds_anything_are_passed_over(self, opal: User, files: Files) -> None:
        """Where a database was restored from an old copy, they are somebody's newer documents and versions."""
        document = verified(opal)
        sidecar = files[f"{opal.pk}/documents/{document.pk + 1}/document.json"]
        sidecar.parent.mkdir()
        sidecar.write_bytes(b"another's")
        lost = files[f"{opal.pk}/documents/{document.pk + 2}/2/other name.pdf"]
        lost.parent.mkdir(parents=True)
        lost.write_bytes(b"another's")
        version = files[f"{opal.pk}/documents/{document.pk}/2/other name.pdf"]
        version.parent.mkdir()
        version.write_bytes(b"another's")

        assert stored(opal).pk == document.pk + 3
        assert uploads.add_version(document_id=document.pk, by=opal, chunks=[b"x"], length=1).number == 3
