"""Attacks while something changes in the middle: configuration, connection, root; and forged notifications."""

import hmac
import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from redis import Redis

from cloud.models import DropboxAccount
from discovery.services import archive_looks
from leases.models import AgencyStorageConfig, Lease
from statemachine.reconcile import reconcile
from tests.discovery.watching import attend, rung, told, work
from tests.factories import give_dropbox
from tests.flows.conftest import BLM, ELSEWHERE, Work
from tests.flows.test_attack_watch import REPORT, imported, states

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

MANY = [f"NMNM {n}" for n in range(1, 13)]


class TestInTheMiddleOfTheFirstScan:
    def test_another_base_path_mixes_no_answers(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(*(f"{BLM}/{n}/{REPORT}" for n in MANY[:6]), *(f"{ELSEWHERE}/{n}/{REPORT}" for n in MANY[6:]))
        imported(operator, *MANY)
        archive_looks.look_after_all()
        AgencyStorageConfig.objects.update(runsheet_archive_base_path=ELSEWHERE)
        work()
        attend()
        reconcile()
        work_until_settled()
        attend()
        work_until_settled()

        assert states() == dict.fromkeys(MANY[:6], ("not_found", False)) | dict.fromkeys(MANY[6:], ("done", True))
        assert set(Lease.objects.values_list("known_base_path", flat=True)) == {ELSEWHERE}

    def test_another_account_mixes_no_answers(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        """Paul's Dropbox is another space, in which other archives lie."""
        dropbox.put(*(f"{BLM}/{n}/{REPORT}" for n in MANY[:6]))
        imported(operator, *MANY)
        archive_looks.look_after_all()
        DropboxAccount.objects.all().delete()
        give_dropbox(operator, dropbox, "paul")
        work()
        reconcile()
        work_until_settled()
        attend()
        reconcile()
        work_until_settled()
        own = dropbox.account("paul").account_id

        answered = Lease.objects.exclude(state="failed")
        assert set(answered.values_list("known_account", flat=True)) <= {own}, list(
            answered.values_list("lease_number", "state", "known_account")
        )

    def test_another_root_mixes_no_answers(self, operator: User, dropbox: "Standin", work_until_settled: Work) -> None:
        dropbox.put(*(f"{BLM}/{n}/{REPORT}" for n in MANY))
        imported(operator, *MANY)
        archive_looks.look_after_all()
        dropbox.migrate_root()
        work()
        for _ in range(2):
            attend()
            reconcile()
            work_until_settled()

        assert set(states().values()) == {("done", True)}, states()


class TestAgainAndAgain:
    def test_share_flaps_before_each_poll(self, operator: User, dropbox: "Standin", work_until_settled: Work) -> None:
        dropbox.put(*(f"{BLM}/{n}/{REPORT}" for n in MANY))
        imported(operator, *MANY)
        attend()
        work_until_settled()
        for turn in range(4):
            if turn % 2:
                dropbox.clear_sights()
            else:
                for number in MANY:
                    dropbox.sight("olivia", f"{BLM}/{number}", "none")
            told()
            attend()
            reconcile()
            work_until_settled()
            assert "not_found" not in {state for state, _ in states().values()}, (turn, states())
        attend()
        reconcile()
        work_until_settled()

        assert set(states().values()) == {("done", True)}, states()

    def test_the_whole_team_folder_is_lost_and_returns(
        self, operator: User, dropbox: "Standin", work_until_settled: Work
    ) -> None:
        dropbox.put(*(f"{BLM}/{n}/{REPORT}" for n in MANY))
        imported(operator, *MANY, "NMNM 99")
        attend()
        work_until_settled()
        dropbox.sight("olivia", BLM, "none")
        told()
        attend()
        imported(operator, "NMNM 100")
        work_until_settled()
        assert states()["NMNM 100"][0] == "failed", states()["NMNM 100"]
        dropbox.clear_sights()
        dropbox.put(f"{BLM}/NMNM 99/{REPORT}", f"{BLM}/NMNM 100/{REPORT}")
        told()
        for _ in range(3):
            attend()
            reconcile()
            work_until_settled()

        assert set(states().values()) == {("done", True)}, states()

    def test_reset_cursors_all_the_time(self, operator: User, dropbox: "Standin", work_until_settled: Work) -> None:
        dropbox.put(*(f"{BLM}/{n}/{REPORT}" for n in MANY))
        imported(operator, *MANY, "NMNM 99")
        for turn in range(4):
            attend()
            reconcile()
            work_until_settled()
            dropbox.reset_cursors()
            if turn == 2:
                dropbox.put(f"{BLM}/NMNM 99/{REPORT}")
            told()
        attend()
        reconcile()
        work_until_settled()

        assert set(states().values()) == {("done", True)}, states()


class TestNotifications:
    def test_that_are_forged_change_nothing_and_those_replayed_ring_once(
        self, operator: User, dropbox: "Standin", redis: Redis, work_until_settled: Work, client: Client
    ) -> None:
        imported(operator, "NMNM 1")
        attend()
        work_until_settled()
        redis.flushall()
        account = DropboxAccount.objects.get()
        body = json.dumps({"list_folder": {"accounts": [account.account_id]}}).encode()

        where = "/dropbox/webhook/"
        for signature in ("", "0" * 64, "é"):
            answer = client.post(
                where, body, content_type="application/json", headers={"X-Dropbox-Signature": signature}
            )
            assert answer.status_code in (400, 403)
        assert not rung(redis)
        account.refresh_from_db()
        before = account.changed_at
        signed = hmac.new(settings.DROPBOX_APP_SECRET.encode(), body, sha256).hexdigest()
        for _ in range(50):
            answer = client.post(where, body, content_type="application/json", headers={"X-Dropbox-Signature": signed})
            assert answer.status_code == 200
        assert len(rung(redis)) <= 1, rung(redis)
        dropbox.clear_journal()
        archive_looks.look_after_all()
        assert len(dropbox.journal()) == 1
        account.refresh_from_db()
        assert account.changed_at != before
