"""Whoever started a run that failed is told: one mail for many leases that failed for one reason."""

import smtplib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from console.models import FailureNotice
from leases.models import Lease
from statemachine import jobs
from statemachine.models import TransitionLog
from statemachine.reconcile import reconcile
from statemachine.transitions import RECONCILER, Step, advance, locked
from tests.factories import settled

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

type Deliver = Callable[[], None]


def fail(lease: Lease, *, code: str = "connect_dropbox", message: str = "Connect your Dropbox account.") -> None:
    with locked(Lease, lease.pk) as record:
        advance(record, Step(transition="fail", arguments={"code": code, "message": message}), RECONCILER)


def at_work(user: User | None, number: str, **values: Any) -> Lease:
    return settled(user, lease_number=number, state="searching", due_at=timezone.now(), initiated_by=user, **values)


@pytest.fixture
def deliver(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Deliver:
    """Let the time to gather pass and a worker do what is owed."""

    def deliver() -> None:
        FailureNotice.objects.filter(state="gathering").update(due_at=timezone.now())
        with django_capture_on_commit_callbacks(execute=True):
            reconcile()
        for notice in FailureNotice.objects.filter(state="sending"):
            jobs.run("console.failurenotice", notice.pk, "sending", notice.generation)

    return deliver


class TestGathering:
    @pytest.mark.long
    def test_many_leases_that_fail_for_one_reason_make_one_mail(self, olivia: User, deliver: Deliver) -> None:
        for number in range(120):
            fail(at_work(olivia, f"NMNM {number:03}"))

        deliver()

        (sent,) = mail.outbox
        assert sent.to == ["olivia@example.com"]
        assert sent.subject == "Runsheet: 120 leases have failed: Dropbox not connected"
        assert "Connect your Dropbox account." in sent.body
        assert "BLM NMNM 000\n  http://127.0.0.1:8000/admin/leases/lease/" in sent.body
        assert "and 70 more" in sent.body
        assert "Connect Dropbox here: http://127.0.0.1:8000/dropbox/\n" in sent.body
        notice = FailureNotice.objects.get()
        assert (notice.state, notice.told) == ("sent", 120)

    def test_each_reason_and_each_person_has_one_of_their_own(
        self, olivia: User, viewer: User, deliver: Deliver
    ) -> None:
        User.objects.filter(pk=viewer.pk).update(email="viewer@example.com")
        fail(at_work(olivia, "1"))
        fail(at_work(olivia, "2"), code="bug", message="A bug.")
        fail(at_work(viewer, "3"))

        deliver()

        assert sorted((sent.to[0], sent.subject) for sent in mail.outbox) == [
            ("olivia@example.com", "Runsheet: BLM 1 has failed: Dropbox not connected"),
            ("olivia@example.com", "Runsheet: BLM 2 has failed: a bug"),
            ("viewer@example.com", "Runsheet: BLM 3 has failed: Dropbox not connected"),
        ]

    def test_what_fails_later_makes_another(self, olivia: User, deliver: Deliver) -> None:
        fail(at_work(olivia, "1"), code="bug", message="A bug.")
        deliver()
        fail(at_work(olivia, "2"), code="bug", message="A bug.")
        deliver()

        assert [sent.subject for sent in mail.outbox] == [
            "Runsheet: BLM 1 has failed: a bug",
            "Runsheet: BLM 2 has failed: a bug",
        ]

    def test_what_is_mended_once_for_all_leases_is_told_once_until_it_is(
        self, olivia: User, viewer: User, deliver: Deliver
    ) -> None:
        User.objects.filter(pk=viewer.pk).update(email="viewer@example.com")
        first = at_work(olivia, "1")
        fail(first)
        deliver()
        fail(at_work(olivia, "2"))
        fail(at_work(viewer, "3"))
        deliver()

        assert [sent.to[0] for sent in mail.outbox] == ["olivia@example.com", "viewer@example.com"]
        assert list(FailureNotice.objects.order_by("pk").values_list("state", flat=True)) == [
            "sent",
            "needless",
            "sent",
        ]

        with locked(Lease, first.pk) as record:
            advance(record, Step(transition="start_search"), RECONCILER)
        fail(at_work(olivia, "4"))
        deliver()

        assert mail.outbox[-1].subject == "Runsheet: BLM 4 has failed: Dropbox not connected"

    def test_a_notice_that_leaves_at_the_same_moment_is_followed_by_another(
        self, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = FailureNotice.objects.bulk_create
        gone: list[str] = []

        def standing_in_the_way_for_a_moment(*args: Any, **kwargs: Any) -> Any:
            if not gone:
                gone.append("it was there when we inserted, and not when we looked")
                return []
            return plain(*args, **kwargs)

        monkeypatch.setattr(FailureNotice.objects, "bulk_create", standing_in_the_way_for_a_moment)

        fail(at_work(olivia, "1"))

        assert Lease.objects.get().failure_notice == FailureNotice.objects.get(state="gathering")

    def test_waits_some_minutes_for_more(self, olivia: User, settings: Settings) -> None:
        settings.NOTICE_GATHERS_S = 180
        fail(at_work(olivia, "1"))

        reconcile()

        notice = FailureNotice.objects.get()
        assert notice.state == "gathering"
        assert notice.due_at is not None
        assert 170 < (notice.due_at - timezone.now()).total_seconds() < 190
        assert mail.outbox == []

    def test_overtakes_what_nobody_waits_for(self, olivia: User) -> None:
        fail(at_work(olivia, "NMNM 1", background=True))

        assert FailureNotice.objects.get().background is False

    def test_what_was_mended_meanwhile_is_not_told(self, olivia: User, deliver: Deliver) -> None:
        lease = at_work(olivia, "1")
        fail(lease)
        with locked(Lease, lease.pk) as record:
            advance(record, Step(transition="start_search"), RECONCILER)

        deliver()

        assert mail.outbox == []
        assert FailureNotice.objects.get().state == "needless"

    def test_a_lease_that_nobody_started_tells_nobody(self) -> None:
        fail(at_work(None, "1"))

        assert not FailureNotice.objects.exists()

    def test_is_undone_with_the_transition(self, olivia: User) -> None:
        lease = at_work(olivia, "1")
        Lease.objects.filter(pk=lease.pk).update(generation=5)
        TransitionLog.objects.create(
            record_type="leases.lease", record_id=lease.pk, transition="x", from_state="x", to_state="x",
            generation=6, actor_kind="worker", lasted=timedelta(),
        )  # fmt: skip

        with pytest.raises(Exception, match="record_id_generation"):
            fail(lease)

        assert not FailureNotice.objects.exists()


class TestInTheConsole:
    def test_tells_over_the_list(self, olivia: User, client: Client) -> None:
        for number in range(3):
            fail(at_work(olivia, str(number)), code="dropbox_unavailable", message="Dropbox was away.")
        fail(at_work(olivia, "4"), code="bug", message="A bug.")
        fail(at_work(olivia, "5"), code="connect_dropbox")
        client.force_login(olivia)

        text = client.get("/admin/leases/lease/").text

        assert ">3 leases: Dropbox out of reach</a>" in text
        assert ">1 lease: a bug</a>" in text
        assert ">1 lease: Dropbox not connected</a>" not in text  # the banner says it

    def test_tells_nobody_of_what_others_started(self, olivia: User, viewer: User, client: Client) -> None:
        fail(at_work(olivia, "1"))
        client.force_login(viewer)

        assert "have failed" not in client.get("/admin/leases/lease/").text

    def test_lists_the_notices(self, olivia: User, client: Client) -> None:
        fail(at_work(olivia, "1"))
        client.force_login(olivia)

        assert "connect_dropbox" in client.get("/admin/console/failurenotice/").text
        notice = FailureNotice.objects.get()
        assert client.get(f"/admin/console/failurenotice/{notice.pk}/change/").status_code == 200
        assert client.post(f"/admin/console/failurenotice/{notice.pk}/delete/", {"post": "yes"}).status_code == 403


class TestSending:
    def test_is_tried_again_when_the_mail_server_is_away(
        self, olivia: User, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise smtplib.SMTPServerDisconnected

        fail(at_work(olivia, "1"))
        with monkeypatch.context() as away:
            away.setattr(EmailMessage, "send", refuse)
            deliver()
        notice = FailureNotice.objects.get()
        assert (notice.state, notice.tries, notice.failure_code) == ("sending", 1, "email_unavailable")

        FailureNotice.objects.update(due_at=timezone.now())
        deliver()

        assert FailureNotice.objects.get().state == "sent"
        assert len(mail.outbox) == 1

    def test_a_mail_that_is_sent_twice_is_known_by_its_id(self, olivia: User, deliver: Deliver) -> None:
        fail(at_work(olivia, "1"))

        deliver()

        notice = FailureNotice.objects.get()
        assert mail.outbox[0].extra_headers["Message-ID"] == f"<failure-notice-{notice.pk}@127.0.0.1>"

    def test_says_that_a_person_has_no_address(self, olivia: User, deliver: Deliver) -> None:
        User.objects.filter(pk=olivia.pk).update(email="")
        fail(at_work(olivia, "1"))

        deliver()

        notice = FailureNotice.objects.get()
        assert (notice.state, notice.failure_code) == ("failed", "no_address")

    def test_says_that_there_is_no_mail_server(self, olivia: User, deliver: Deliver, settings: Settings) -> None:
        settings.HAS_MAIL_SERVER = False
        fail(at_work(olivia, "1"))

        deliver()

        notice = FailureNotice.objects.get()
        assert (notice.state, notice.failure_code) == ("failed", "email_not_configured")

    def test_its_link_leads_to_those_leases(self, olivia: User, deliver: Deliver, client: Client) -> None:
        settled(olivia, lease_number="other")
        fail(at_work(olivia, "1"))
        deliver()
        client.force_login(olivia)

        link = mail.outbox[0].body.splitlines()[-1].rpartition(" ")[2].removeprefix("http://127.0.0.1:8000")

        answer = client.get(link)
        assert [lease.lease_number for lease in answer.context["cl"].result_list] == ["1"]
