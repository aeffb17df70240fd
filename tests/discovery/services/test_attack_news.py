# ruff: noqa: F811
"""Attacks on what leases are told: silence, and answers that flip to “not found”."""

import json
import logging
from typing import TYPE_CHECKING

import pytest
import requests
from django.contrib.auth.models import User
from django.db.models.functions import Now

from cloud.models import DropboxAccount
from discovery.admin.watching import APPEARS, watched_for
from discovery.services import archive_looks
from discovery.services.archive_index import index_of
from discovery.services.archive_news import ADDED, APPEARED, GONE, TAKEN
from leases.models import AgencyStorageConfig, Lease
from statemachine import jobs
from statemachine.claims import message_of
from statemachine.models import TransitionLog
from storage.models import IndexRun
from storage.services import IndexSyncService
from tests.discovery.services.test_attack_index import REPORT, SILENT, fresh, operator, says  # noqa: F401
from tests.discovery.watching import absent, attend, done, owed, told, watch, work
from tests.factories import BLM, NUMBER, give_dropbox

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = [pytest.mark.flow, pytest.mark.django_db, pytest.mark.usefixtures("redis")]


class TestSilence:
    def test_an_agency_that_was_switched_off_meanwhile_hears_what_came(
        self,
        operator: User,
        dropbox: "Standin",
    ) -> None:
        """Another agency has its archives in the same folder, so the folder was read all the time."""
        AgencyStorageConfig.objects.create(
            agency="NMSLO",
            runsheet_archive_base_path=BLM,
            documents_base_path=BLM,
            misc_index_base_path=BLM,
            watched=False,
        )
        absent(operator, "B-1", agency="NMSLO")
        attend()
        dropbox.put(f"{BLM}/B-1/{REPORT}")
        told()
        attend()
        AgencyStorageConfig.objects.update(watched=True)
        attend()
        told()
        attend()

        assert owed() == {"B-1": APPEARED}

    def test_an_agency_that_was_switched_off_while_a_run_ended_hears_of_it(
        self,
        operator: User,
        dropbox: "Standin",
    ) -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        told()
        archive_looks.look_after_all()
        work()
        AgencyStorageConfig.objects.update(watched=False)
        archive_looks.look_after_all()
        AgencyStorageConfig.objects.update(watched=True)
        attend()
        told()
        attend()

        assert owed() == {"NMNM 9": APPEARED}

    def test_who_connects_the_same_account_again_hears_what_came_meanwhile(
        self,
        operator: User,
        dropbox: "Standin",
        django_user_model: type[User],
    ) -> None:
        paul = django_user_model.objects.create_superuser("paul")
        give_dropbox(paul, dropbox)
        absent(paul, "NMNM 8")
        attend()
        DropboxAccount.objects.filter(user=paul).delete()
        dropbox.put(f"{BLM}/NMNM 8/{REPORT}")
        told()
        attend()
        give_dropbox(paul, dropbox)
        attend()
        told()
        attend()

        assert owed() == {"NMNM 8": APPEARED}

    def test_a_report_that_moves_is_told_to_both(self, operator: User, dropbox: "Standin") -> None:
        done(operator, "NMNM 2", reports=[REPORT])
        done(operator, "NMNM 3")
        dropbox.put(f"{BLM}/NMNM 3/")
        attend()
        _move(dropbox, f"{BLM}/NMNM 2/{REPORT}", f"{BLM}/NMNM 3/{REPORT}")
        told()
        attend()

        assert owed() == {"NMNM 2": TAKEN, "NMNM 3": ADDED}

    def test_an_archive_that_is_renamed_is_told_to_both(self, operator: User, dropbox: "Standin") -> None:
        done(operator, "NMNM 2", reports=[REPORT])
        attend()
        _move(dropbox, f"{BLM}/NMNM 2", f"{BLM}/NMNM 9")
        told()
        attend()

        assert owed() == {"NMNM 2": GONE, "NMNM 9": APPEARED}

    def test_two_archives_that_change_places_are_told(self, operator: User, dropbox: "Standin") -> None:
        done(operator, "NMNM 2", reports=[REPORT])
        dropbox.put(f"{BLM}/NMNM 3/x.pdf")
        done(operator, "NMNM 3")
        attend()
        _move(dropbox, f"{BLM}/NMNM 2", f"{BLM}/aside")
        _move(dropbox, f"{BLM}/NMNM 3", f"{BLM}/NMNM 2")
        _move(dropbox, f"{BLM}/aside", f"{BLM}/NMNM 3")
        told()
        attend()

        assert owed() == {"NMNM 2": TAKEN, "NMNM 3": ADDED}

    def test_a_lease_that_was_at_work_is_told_later(self, operator: User, dropbox: "Standin") -> None:
        """It heard “not found” before the archive came, and wrote it down after the others were told."""
        attend()
        lease = absent(operator, "NMNM 8", state="searching", due_at=Now())
        dropbox.put(f"{BLM}/NMNM 8/{REPORT}")
        told()
        attend()
        Lease.objects.filter(pk=lease.pk).update(state="not_found", due_at=None, known_at=Now())
        attend()
        told()
        attend()
        attend()

        assert owed()["NMNM 8"] == APPEARED

    def test_of_who_connects_another_account_the_page_promises_only_what_is_so(
        self,
        operator: User,
        dropbox: "Standin",
    ) -> None:
        lease = absent(operator, "NMNM 8")
        attend()
        DropboxAccount.objects.all().delete()
        give_dropbox(operator, dropbox, "paul")
        dropbox.put(f"{BLM}/")
        attend()
        attend()
        promised = watched_for(Lease.objects.get(pk=lease.pk))
        dropbox.put(f"{BLM}/NMNM 8/{REPORT}")
        told()
        attend()
        assert DropboxAccount.objects.get().account_id != lease.known_account
        assert index_of(account=DropboxAccount.objects.get(), base_path=BLM, poll_minutes=5).archives(["NMNM 8"])  # type: ignore[union-attr]

        assert promised is None or promised.words != APPEARS or "NMNM 8" in owed()


class TestFlips:
    def test_a_base_seen_in_part_of_which_nothing_is_told_proves_nothing(
        self,
        operator: User,
        dropbox: "Standin",
    ) -> None:
        """All archives are shared by themselves, so none goes when the folder's own share does."""
        for name in (NUMBER, "NMNM 2"):
            dropbox.sight("olivia", f"{BLM}/{name}", "full")
        attend()
        dropbox.sight("olivia", BLM, "traverse_only")
        told()
        attend()
        dropbox.put(f"{BLM}/NMNM 7/{REPORT}")
        told()
        attend()

        assert says(operator, "NMNM 7") != "not found"

    def test_a_whole_run_that_was_refused_leaves_no_index_that_answers(
        self,
        operator: User,
        dropbox: "Standin",
    ) -> None:
        attend()
        dropbox.sight("olivia", BLM, "traverse_only")
        run = IndexSyncService().start(mode="sync", root=watch().root.name)
        IndexSyncService().work(run_id=run.pk)
        assert IndexRun.objects.get(pk=run.pk).state == "refused"
        attend()
        told()
        attend()
        dropbox.put(f"{BLM}/NMNM 7/{REPORT}")

        assert says(operator, "NMNM 7") != "not found"

    def test_what_another_s_index_has_is_known(
        self,
        operator: User,
        dropbox: "Standin",
        django_user_model: type[User],
    ) -> None:
        """Paul, of the same team, sees the archive, and his index has it; Olivia was kept from it."""
        paul = django_user_model.objects.create_superuser("paul")
        give_dropbox(paul, dropbox, "ivan")
        absent(paul, "NMNM 6")
        dropbox.sight("olivia", f"{BLM}/NMNM 2", "none")
        attend()
        work()
        archive_looks.look_after_all()
        accounts = list(DropboxAccount.objects.values_list("account_id", "root_namespace_id"))
        told()

        index = index_of(account=DropboxAccount.objects.get(user=paul), base_path=BLM, poll_minutes=5)
        if index is None or index.archives(["NMNM 2"]).get("NMNM 2") is None:
            pytest.skip(f"Ivan sees another folder {accounts}")
        attend()
        assert says(operator, "NMNM 2") != "not found"


class TestSecrets:
    def test_no_cursor_is_told_anywhere(
        self,
        operator: User,
        dropbox: "Standin",
        caplog: pytest.LogCaptureFixture,
        client: object,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        seen: set[str] = set()
        attend()
        seen.add(watch().root.cursor)
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        told()
        attend()
        seen.add(watch().root.cursor)
        dropbox.reset_cursors()
        told()
        attend()
        seen.add(watch().root.cursor)
        for run in IndexRun.objects.all():
            seen |= {str(value) for name, value in run.place.items() if "cursor" in name or name == "began"}
        seen -= {""}
        text = caplog.text + repr(list(TransitionLog.objects.values()))
        assert seen
        assert not [each for each in seen if each in text]
        client.force_login(operator)  # type: ignore[attr-defined]
        pages = [
            "/admin/storage/storageroot/",
            f"/admin/storage/storageroot/{watch().root_id}/change/",
            "/api/v1/storage/roots/",
            "/metrics",
        ]
        pages += [f"/admin/storage/indexrun/{run.pk}/change/" for run in IndexRun.objects.all()]
        pages += [f"/api/v1/storage/runs/{run.pk}/" for run in IndexRun.objects.all()]
        answers = {}
        for page in pages:
            answer = client.get(page, follow=True)  # type: ignore[attr-defined]
            answers[page] = answer.status_code
            assert not [each for each in seen if each in answer.content.decode()], page


def _move(dropbox: "Standin", source: str, target: str) -> None:
    tokens = dropbox.issue_tokens("olivia", scopes=["files.content.write", "files.metadata.read", "account_info.read"])
    answer = requests.post(
        f"{dropbox.base_url}/2/files/move_v2",
        json={"from_path": source, "to_path": target},
        headers={
            "Authorization": f"Bearer {tokens.access_token}",
            "Dropbox-API-Path-Root": json.dumps({".tag": "root", "root": dropbox.account("olivia").root_namespace_id}),
        },
        timeout=30,
    )
    assert answer.ok, answer.text


class TestKilled:
    def test_between_owing_runs_and_noting_it_owes_none_twice(
        self,
        operator: User,
        dropbox: "Standin",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        told()
        archive_looks.look_after_all()
        work()

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("discovery.services.archive_news._note", killed)
            with pytest.raises(KeyboardInterrupt):
                archive_looks.look_after_all()
        assert owed() == {"NMNM 9": APPEARED}
        generation = Lease.objects.get(lease_number="NMNM 9").generation
        attend()
        assert owed() == {"NMNM 9": APPEARED}
        assert Lease.objects.get(lease_number="NMNM 9").generation == generation

    def test_between_plan_and_apply_it_goes_on(self, operator: User, dropbox: "Standin") -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        told()
        archive_looks.look_after_all()
        run = IndexRun.objects.latest("pk")
        message = message_of(run)
        jobs.run(message.label, message.pk, message.state, message.generation)
        assert IndexRun.objects.get(pk=run.pk).state in ("applying", "done")
        assert says(operator, "NMNM 9") != "not found"
        work()
        attend()
        assert owed() == {"NMNM 9": APPEARED}

    def test_redis_away_loses_nothing(
        self,
        operator: User,
        dropbox: "Standin",
        settings: object,
    ) -> None:
        attend()
        dropbox.put(f"{BLM}/NMNM 9/{REPORT}")
        url = settings.REDIS_URL  # type: ignore[attr-defined]
        settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
        told()
        attend()
        settings.REDIS_URL = url  # type: ignore[attr-defined]
        attend()
        assert owed() == {"NMNM 9": APPEARED}

    def test_an_empty_database_asks_nobody(self, db: None, dropbox: "Standin", redis: object) -> None:
        archive_looks.look_after_all()
        archive_looks.look_after_all()

        assert not dropbox.journal()
        assert not IndexRun.objects.exists()


class TestDeep:
    def test_trees_are_read(self, operator: User, dropbox: "Standin") -> None:
        dropbox.put(f"{BLM}/NMNM 9/" + "/".join("d" * 100 for _ in range(40)) + f"/{REPORT}", f"{BLM}/NMNM 8/{REPORT}")
        attend()

        assert says(operator, "NMNM 9") in ([], SILENT)
        assert says(operator, "NMNM 8") == [REPORT]
        assert owed()["NMNM 9"] == APPEARED
