"""Who is told of what a run had to say, and how often."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client

from console.notices.models import FailureNotice
from console.notices.queries import unread_notices
from console.notices.states import NoticeState
from statemachine import jobs
from statemachine.claims import message_of
from statemachine.transitions import Actor, Step, take
from storage.models import Action, IndexRun, Occasion, StorageRoot, news
from storage.services import IndexSyncService
from tests.storage.conftest import Index
from tests.storage.trees import Tree

BY_ITSELF: dict[str, Any] = {"occasion": Occasion.SCHEDULE}


@pytest.fixture
def olivia(tree: Tree) -> User:
    return User.objects.create_superuser("olivia", email="olivia@example.com")


@pytest.fixture
def link(tree: Tree) -> None:
    """Something that no run can index."""
    tree.put("7/a.pdf")
    (tree.path / "7" / "link").symlink_to("/nowhere")


def started(by: User, mode: str = "sync", **said: Any) -> IndexRun:
    service = IndexSyncService(by=by)
    return service.work(run_id=service.start(mode=mode, rings=False, **said).pk)


def code_and_reader(run: IndexRun) -> tuple[str, str]:
    notice = run.failure_notice
    return run.failure_code, str(notice.initiated_by or notice.right) if notice else ""


def told_now() -> int:
    """How many of them it is still worth telling of."""
    return unread_notices(0, rights=["storage.change_index"]).count()


def sent_now() -> list[EmailMessage]:
    """What is sent once the notices have gathered."""
    FailureNotice.objects.update(state=NoticeState.SENDING)
    for notice in FailureNotice.objects.all():
        owed = message_of(notice)
        jobs.run(owed.label, owed.pk, owed.state, owed.generation)
    return mail.outbox


def a_week_ago() -> None:
    """Whatever there is happened then."""
    for run in IndexRun.objects.all():
        IndexRun.objects.filter(pk=run.pk).update(entered_at=run.entered_at - timedelta(days=7, minutes=1))


@pytest.mark.usefixtures("link")
class TestAnomalies:
    def test_are_told_to_who_started_the_run(self, olivia: User) -> None:
        run = started(olivia)

        assert (run.state, *code_and_reader(run)) == ("done", "index_anomalies", "olivia")
        assert run.failure_message.startswith("There is one anomaly in the root “documents”.\n7/link: ")

    @pytest.mark.parametrize("said", [{"mode": "audit"}, {"mode": "full", "force": True, "dry_run": True}])
    def test_are_told_where_a_run_stops_at_its_plan(self, olivia: User, said: dict[str, Any]) -> None:
        run = started(olivia, **said)

        assert (run.state, *code_and_reader(run)) == ("planned", "index_anomalies", "olivia")

    def test_of_a_run_that_nobody_started_are_told_to_who_may_change_the_index(self, index: Index) -> None:
        assert code_and_reader(index(**BY_ITSELF)) == ("index_anomalies", "storage.change_index")

    def test_of_a_run_of_the_terminal_are_read_there(self, index: Index) -> None:
        assert code_and_reader(index()) == ("index_anomalies", "")

    @pytest.mark.long
    def test_of_many_are_compared_in_time(self, index: Index) -> None:
        """Whoever lays tens of thousands of links keeps no run from its end."""
        runs = [index(**BY_ITSELF) for _ in range(2)]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO storage_indexchange (run_id, number, action, key, etag)"
                " SELECT run, number, %s, '7/' || number, 'link' FROM unnest(%s) AS run, generate_series(100, 30099) AS number",
                [Action.ANOMALY, [run.pk for run in runs]],
            )
            cursor.execute("SET LOCAL statement_timeout = '5s'")

        assert not news.has_new_anomalies(runs[1])

    def test_are_not_told_again_the_next_day(self, index: Index) -> None:
        index(**BY_ITSELF)

        assert code_and_reader(index(**BY_ITSELF)) == ("index_anomalies", "")

    def test_are_told_again_after_a_week(self, index: Index) -> None:
        index(**BY_ITSELF)
        a_week_ago()

        assert code_and_reader(index(**BY_ITSELF)) == ("index_anomalies", "storage.change_index")

    def test_are_told_to_each_reader(self, index: Index, olivia: User) -> None:
        index(**BY_ITSELF)

        assert code_and_reader(started(olivia)) == ("index_anomalies", "olivia")
        assert code_and_reader(started(olivia)) == ("index_anomalies", "")

    def test_are_told_as_soon_as_there_is_another_one(self, tree: Tree, index: Index) -> None:
        index(**BY_ITSELF)
        (tree.path / "8").mkdir()
        (tree.path / "8" / "link").symlink_to("/nowhere")

        run = index(**BY_ITSELF)

        assert code_and_reader(run) == ("index_anomalies", "storage.change_index")
        assert run.failure_message.startswith("There are 2 anomalies in the root “documents”.\n8/link: ")
        assert "7/link" not in run.failure_message

    def test_that_were_applied_later_are_told_once(self, olivia: User) -> None:
        service = IndexSyncService(by=olivia)
        audit = started(olivia, mode="audit")

        applied = service.work(run_id=service.apply(run_id=audit.pk).pk)

        assert (applied.state, *code_and_reader(applied)) == ("done", "", "")

    def test_are_forgotten_when_the_run_is_undone(self, olivia: User) -> None:
        service = IndexSyncService(by=olivia)
        run = started(olivia)

        undone = service.work(run_id=service.undo(run_id=run.pk).pk)

        assert (undone.state, *code_and_reader(undone)) == ("undone", "", "")


def test_nothing_is_told_of_a_run_that_had_nothing_to_say(tree: Tree, index: Index) -> None:
    tree.put("7/a.pdf")

    assert code_and_reader(index(**BY_ITSELF)) == ("", "")


class TestRefusals:
    @pytest.fixture
    def away(self, tree: Tree, index: Index) -> Path:
        """The root is known, and its disk is gone."""
        tree.put("7/a.pdf")
        index()
        return tree.path.rename(tree.path.with_name("away"))

    def test_are_told_to_who_started_the_run_each_time(self, olivia: User, away: Path) -> None:
        for _ in range(2):
            run = started(olivia)

            assert (run.state, *code_and_reader(run)) == ("refused", "root_not_there", "olivia")
            assert run.failure_message == run.refusal
        assert FailureNotice.objects.count() == 1

    @pytest.mark.usefixtures("away")
    def test_of_runs_that_nobody_started_are_told_once_a_week(self, index: Index) -> None:
        readers = [code_and_reader(index(**BY_ITSELF))[1] for _ in range(3)]
        a_week_ago()
        readers.append(code_and_reader(index(**BY_ITSELF))[1])

        assert readers == ["storage.change_index", "", "", "storage.change_index"]

    def test_are_told_anew_when_it_was_there_in_between(self, tree: Tree, index: Index, away: Path) -> None:
        index(**BY_ITSELF)
        away.rename(tree.path)
        index(**BY_ITSELF)
        tree.path.rename(away)

        assert code_and_reader(index(**BY_ITSELF))[1] == "storage.change_index"

    @pytest.mark.usefixtures("away")
    def test_are_told_while_they_last(self, index: Index) -> None:
        index(**BY_ITSELF)

        assert told_now() == 1

    def test_are_told_to_nobody_once_the_root_is_back(self, tree: Tree, index: Index, away: Path, olivia: User) -> None:
        """A mail gathers for some minutes, and what is over by then is nobody's work."""
        index(**BY_ITSELF)
        away.rename(tree.path)
        index(incremental=True, **BY_ITSELF)

        assert told_now() == 0
        assert sent_now() == []

    def test_of_a_root_that_is_read_by_its_cursor_are_over_as_soon_as_it_was_read(
        self, tree: Tree, index: Index, away: Path
    ) -> None:
        """A look that finds nothing new leaves no run."""
        run = index(**BY_ITSELF)

        StorageRoot.objects.update(read_at=run.entered_at + timedelta(seconds=1))

        assert told_now() == 0

    @pytest.mark.parametrize(("given", "count"), [({"incremental": True}, 1), ({"mode": "audit"}, 1), ({}, 0)])
    def test_by_the_brake_are_over_once_all_of_it_was_carried_out(
        self, tree: Tree, index: Index, given: dict[str, Any], count: int
    ) -> None:
        for number in range(150):
            tree.put(f"7/{number}.pdf")
        index()
        hidden = (tree.path / "7").rename(tree.path.parent / "hidden")
        assert index(**BY_ITSELF).state == "refused"
        hidden.rename(tree.path / "7")

        index(**BY_ITSELF, **given)

        assert told_now() == count

    def test_say_each_sentence_with_the_runs_that_it_is_of(self, index: Index, away: Path, olivia: User) -> None:
        first = index(**BY_ITSELF)
        a_week_ago()
        second = index(**BY_ITSELF)
        IndexRun.objects.filter(pk=second.pk).update(failure_message="The folder “B” is gone.")
        notice = first.failure_notice
        assert notice is not None
        FailureNotice.objects.exclude(pk=notice.pk).delete()
        IndexRun.objects.update(failure_notice=notice)

        [sent] = sent_now()

        assert f"{first.refusal}\n\nIndex run {first.pk}\n  http" in sent.body
        assert f"The folder “B” is gone.\n\nIndex run {second.pk}\n  http" in sent.body

    def test_by_the_brake_have_a_name_of_their_own(self, tree: Tree, index: Index, olivia: User) -> None:
        for number in range(150):
            tree.put(f"7/{number}.pdf")
        index()
        for number in range(149):
            (tree.path / "7" / f"{number}.pdf").unlink()

        run = started(olivia)

        assert (run.state, *code_and_reader(run)) == ("refused", "index_braked", "olivia")


@pytest.mark.filterwarnings("ignore:No directory at")  # static files are collected for production only
class TestMail:
    @pytest.fixture
    def sent(self, olivia: User, link: None, index: Index) -> EmailMessage:
        """Of a run that nobody started, to who looks after the index."""
        index(**BY_ITSELF)
        [sent] = sent_now()
        return sent

    def test_says_what_there_is(self, sent: EmailMessage) -> None:
        run = IndexRun.objects.get()
        assert sent.to == ["olivia@example.com"]
        assert sent.subject == f"Runsheet: Index run {run.pk} has ended: anomalies in storage"
        assert "The index of storage has to tell you of an index run:" in sent.body
        assert "There is one anomaly in the root “documents”.\n7/link: " in sent.body
        assert f"/admin/storage/indexrun/{run.pk}/change/\n" in sent.body

    def test_leads_to_all_of_them(self, sent: EmailMessage, olivia: User, client: Client) -> None:
        client.force_login(olivia)
        address = str(sent.body).rpartition("All of them in the console: ")[2]

        assert client.get(address.partition("8000")[2]).context["cl"].result_count == 1

    @pytest.mark.usefixtures("sent")
    def test_comes_with_the_bell(self, olivia: User, client: Client) -> None:
        client.force_login(olivia)
        page = client.get("/admin/console/failurenotice/mine/").text

        assert '<span class="unread">1</span>' in page
        assert "1 index run ended: anomalies in storage" in page


def test_a_failure_is_told(tree: Tree, olivia: User, redis: Any) -> None:
    run = IndexSyncService(by=olivia).start(mode="audit", rings=False)

    step = Step(transition="fail", arguments={"code": "bug", "message": "A bug."})
    failed = take(model=IndexRun, pk=run.pk, step=step, actor=Actor.worker("job-1"))

    assert (failed.state, *code_and_reader(failed)) == ("failed", "bug", "olivia")
