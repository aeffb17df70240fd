"""Making archives that are missing: who may want it, what they are asked, and what is owed then."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from core.base.clock import now
from leases import making, runs
from leases.errors import ArchivesAreNotMade
from leases.making import CALLS_PER_ARCHIVE
from leases.models import AgencyStorageConfig, Batch, Beside, Lease, Seen
from leases.services import configuration_saved, resume_failed
from leases.states import State
from statemachine import batches
from statemachine.errors import Stale, TransitionForbidden, TransitionRefused
from statemachine.models import TransitionLog
from statemachine.transitions import RECONCILER, Actor, Step, take
from tests.factories import account, configured, known_directory, location, settled
from tests.leases.test_bulk_run import choose, confirm
from tests.questions import question_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
RIGHTS = ("view_lease", "run_discovery", "make_archives")


@pytest.fixture(autouse=True)
def _made(settings: Settings) -> None:
    settings.DROPBOX_MAKES_ARCHIVES = True


@pytest.fixture
def maker(viewer: User) -> User:
    """May make archives and run discovery, and nothing else."""
    viewer.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    return User.objects.get(pk=viewer.pk)


@pytest.fixture
def console(maker: User, client: Client) -> Client:
    client.force_login(maker)
    return client


def absent(user: User | None = None, number: str = "NMNM 1", **evidence: Any) -> Lease:
    """A lease whose archive was not found."""
    lease = settled(user, lease_number=number, state=State.NOT_FOUND, generation=3)
    TransitionLog.objects.create(
        record_type=lease._meta.label_lower,
        record_id=lease.pk,
        transition="record_not_found",
        from_state=State.SEARCHING,
        to_state=State.NOT_FOUND,
        generation=3,
        actor_kind="worker",
        lasted=timedelta(),
        evidence={"path": f"/a/{number}", **evidence},
    )
    return lease


def connected(user: User, *, scopes: list[str]) -> None:
    account(user=user, scopes=scopes).save()


def page(client: Client, lease: Lease) -> str:
    return client.get(reverse("admin:leases_lease_change", args=[lease.pk])).text


def press(client: Client, lease: Lease, generation: int = 3) -> Any:
    return client.post(f"{LIST}{lease.pk}/make/", {"generation": generation}, follow=True)


def why_absent(client: Client, lease: Lease) -> str:
    panel = client.get(reverse("admin:leases_lease_change", args=[lease.pk])).context["panel"]
    return next(str(offer.why_absent) for offer in panel.offers if offer.button.name == "make")


def started(lease: Lease) -> Lease:
    """As the reconciler starts what is owed."""
    return take(model=Lease, pk=lease.pk, step=Step(transition="start_search"), actor=RECONCILER)


class TestButton:
    def test_says_what_is_made_where(self, console: Client) -> None:
        text = page(console, absent(nearest=[]))

        assert "In your Dropbox “/a/NMNM 1” is made, with “^Document Archive” and “Runsheets”." in text
        assert "No archive of a near name lies beside it." in text

    def test_names_what_lies_right_beside(self, console: Client) -> None:
        text = page(console, absent(nearest=["NMNM 01", "NMNM-1"]))

        assert "“NMNM 01”, “NMNM-1” lie right beside: see whether that is the one that is meant." in text
        assert "Make it all the same?" in text

    def test_says_that_nobody_could_look(self, console: Client) -> None:
        text = page(console, absent(nearest_unknown="nobody looked: the base folder is too large"))

        assert "a near name lies beside it (the base folder is too large). Make it all the same?" in text

    def test_owes_a_search_that_makes_it(self, console: Client, maker: User) -> None:
        lease = absent(nearest=["NMNM 01"])

        answer = press(console, lease)

        lease = Lease.objects.get(pk=lease.pk)
        assert "“Make the archive” was started." in answer.text
        assert (lease.state, lease.makes_archive, lease.follow_through) == ("searching", True, True)
        assert (lease.seen_beside, lease.initiated_by, lease.background) == (["NMNM 01"], maker, False)

    def test_is_not_offered_where_the_connection_may_only_read(self, console: Client, maker: User) -> None:
        connected(maker, scopes=["files.metadata.read"])
        lease = absent(nearest=[])

        why, answer = why_absent(console, lease), press(console, lease)

        assert why == (
            'Your Dropbox connection may only read. <a href="/dropbox/">Connect Dropbox anew</a> and allow writing.'
        )
        assert "Connect Dropbox anew under “Your Dropbox” and allow writing." in answer.text
        assert Lease.objects.get(pk=lease.pk).state == State.NOT_FOUND

    def test_is_offered_where_the_connection_may_write(self, console: Client, maker: User) -> None:
        connected(maker, scopes=["files.content.write"])

        assert why_absent(console, absent(nearest=[])) == ""

    def test_remembers_that_the_person_knows_of_nobody_who_looked(self, console: Client) -> None:
        lease = absent()

        press(console, lease)

        lease = Lease.objects.get(pk=lease.pk)
        assert lease.seen_beside is None

    def test_is_of_what_the_person_saw(self, console: Client) -> None:
        lease = absent(nearest=["NMNM 01"])

        answer = press(console, lease, generation=2)

        lease = Lease.objects.get(pk=lease.pk)
        assert "had moved on" in answer.text
        assert (lease.state, lease.makes_archive) == ("not_found", False)

    @pytest.mark.parametrize(
        ("state", "words"),
        [("done", "It has an archive already."), ("pending", "Search for it first"), ("searching", "stop that first")],
    )
    def test_is_absent_where_nothing_is_missing(self, console: Client, state: str, words: str) -> None:
        directory = known_directory() if state == "done" else None
        lease = settled(None, state=state, runsheet_directory=directory, due_at="2100-01-01T00:00Z")

        assert words in why_absent(console, lease)

    def test_is_absent_where_the_installation_only_reads(self, console: Client, settings: Settings) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = False
        lease = absent(nearest=[])

        assert f"{LIST}{lease.pk}/make/" not in page(console, lease)
        assert "DROPBOX_MAKES_ARCHIVES=yes" in press(console, lease).text
        lease = Lease.objects.get(pk=lease.pk)
        assert lease.state == "not_found"

    def test_is_not_for_who_lacks_the_right(self, client: Client, viewer: User) -> None:
        viewer.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS[:2]))
        client.force_login(viewer)
        lease = absent(nearest=[])

        assert "permission to make archives that are missing" in why_absent(client, lease)
        assert press(client, lease).status_code == 403
        lease = Lease.objects.get(pk=lease.pk)
        assert lease.state == "not_found"


class TestMakeArchive:
    """The service, whoever calls it."""

    def test_without_a_generation_is_of_what_was_read(self, maker: User) -> None:
        lease = making.make_archive(record_id=absent(nearest=["NMNM 01"]).pk, user=maker)

        assert lease.seen_beside == ["NMNM 01"]

    def test_refuses_who_may_not(self, viewer: User) -> None:
        with pytest.raises(TransitionForbidden):
            making.make_archive(record_id=absent().pk, user=viewer)

    def test_refuses_what_has_moved_on(self, maker: User) -> None:
        with pytest.raises(Stale):
            making.make_archive(record_id=absent().pk, user=maker, generation=1)

    def test_refuses_what_is_not_missing(self, maker: User) -> None:
        with pytest.raises(TransitionRefused):
            making.make_archive(record_id=settled(maker, state="found").pk, user=maker)

    def test_of_a_lease_without_a_history_knows_of_nobody_who_looked(self, maker: User) -> None:
        lease = settled(maker, state=State.NOT_FOUND)

        assert making.around(lease) == making.Around(path="", names=None)


class TestForgetting:
    """What was wanted once is never done by a run that is about something else."""

    @pytest.fixture
    def wanting(self, maker: User) -> Lease:
        return making.make_archive(record_id=absent(nearest=[]).pk, user=maker)

    def take(self, lease: Lease, name: str, **arguments: Any) -> Lease:
        step = Step(transition=name, arguments=arguments)
        return take(model=Lease, pk=lease.pk, step=step, actor=RECONCILER)

    def test_after_an_answer(self, wanting: Lease) -> None:
        assert not self.take(wanting, "record_not_found").makes_archive

    def test_after_a_stop(self, wanting: Lease) -> None:
        assert not self.take(wanting, "cancel").makes_archive

    def test_when_somebody_starts_something_else(self, wanting: Lease, maker: User) -> None:
        self.take(wanting, "fail", code="x", message="x")

        lease = take(model=Lease, pk=wanting.pk, step=runs.FULL_DISCOVERY, actor=Actor.person(maker))

        assert not lease.makes_archive

    def test_but_not_when_what_has_failed_goes_on_by_itself(self, wanting: Lease) -> None:
        self.take(wanting, "fail", code="connect_dropbox", message="x")
        resume_failed(Lease.objects.all())

        assert started(wanting).makes_archive

    def test_when_the_archives_lie_elsewhere(self, wanting: Lease) -> None:
        self.take(wanting, "fail", code="x", message="x")
        Lease.objects.update(known_base_path="/old")
        configuration_saved(configured(base="/new"))

        assert not started(wanting).makes_archive


class TestMany:
    def test_are_asked_about_with_the_estimate(self, console: Client) -> None:
        leases = [absent(number=f"NMNM {number}") for number in range(3)] + [
            settled(None, lease_number="x", state="done")
        ]

        text = choose(console, leases, action="make_archives").text

        assert "<strong>3 leases</strong> will be searched once more, and their archives made" in text
        assert "1 of the 4 you chose have no missing archive or are under way, and are left alone" in text
        assert f"about {3 * CALLS_PER_ARCHIVE}, by your Dropbox account" in text
        assert "for NMSLO, “^Document Archive”, “^MI Index” and “Runsheets”" in text
        assert "Make the archives of 3 leases" in text

    def test_are_not_started_where_the_connection_may_only_read(self, console: Client, maker: User) -> None:
        connected(maker, scopes=[])
        words = "Your Dropbox connection may only read. Connect Dropbox anew under “Your Dropbox” and allow writing."

        asked = choose(console, [absent()], action="make_archives")
        confirm(console, asked)

        assert words in asked.text
        assert words in console.get(LIST).text
        assert not Batch.objects.exists()

    def test_are_one_batch_that_makes_them(self, console: Client, maker: User) -> None:
        leases = [absent(number="NMNM 1"), absent(number="NMNM 2")]

        confirm(console, choose(console, leases, action="make_archives"))

        batch = Batch.objects.get()
        assert batch.title == "Missing archives of 2 leases"
        lease = started(leases[0])
        assert (lease.makes_archive, lease.seen_beside, lease.initiated_by) == (True, [], maker)

    def test_of_which_none_is_missing_are_not_started(self, console: Client) -> None:
        text = choose(console, [settled(None, state="done")], action="make_archives").text

        assert "Those that you chose have no missing archive or are under way, so there is nothing to start." in text

    def test_are_asked_about_again_if_one_was_found_meanwhile(self, console: Client) -> None:
        leases = [absent(number="NMNM 1"), absent(number="NMNM 2")]
        asked = choose(console, leases, action="make_archives")
        Lease.objects.filter(pk=leases[0].pk).update(state="done")

        answer = confirm(console, asked)

        assert answer.context["plan"].starting == 1
        assert not Batch.objects.exists()

    def test_that_are_stopped_before_their_turn_are_not_made_later(self, console: Client, maker: User) -> None:
        lease = absent()
        confirm(console, choose(console, [lease], action="make_archives"))

        batches.stop(batch_id=Batch.objects.get().pk, user=maker)
        Lease.objects.update(due_at=now(), due_reason="something has changed there")

        assert not started(lease).makes_archive

    def test_that_are_run_are_not_made(self, console: Client) -> None:
        lease = absent()
        Lease.objects.update(makes_archive=True)

        confirm(console, choose(console, [lease]))

        assert not started(lease).makes_archive

    @pytest.mark.parametrize("lacks", ["right", "setting"])
    def test_are_not_offered_to_who_may_not(self, client: Client, viewer: User, settings: Settings, lacks: str) -> None:
        viewer.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS[: 2 if lacks == "right" else 3]))
        settings.DROPBOX_MAKES_ARCHIVES = lacks == "right"
        client.force_login(viewer)
        lease = absent()
        form = {"action": "make_archives", "_selected_action": [lease.pk], "index": "0", "confirmed": "none"}

        assert "make_archives" not in client.get(LIST).text
        question_of(client, client.post(LIST, form, follow=True))

        assert not Batch.objects.exists()

    def test_are_refused_by_the_service_too(self, viewer: User, maker: User, settings: Settings) -> None:
        absent()
        with pytest.raises(TransitionForbidden):
            making.make_archives(Lease.objects.all(), User.objects.create_user("other"), which="none")
        settings.DROPBOX_MAKES_ARCHIVES = False
        with pytest.raises(ArchivesAreNotMade):
            making.make_archives(Lease.objects.all(), maker, which="none")


class TestPage:
    def test_says_why_it_was_not_made(self, console: Client) -> None:
        text = page(console, absent(nearest=["NMNM 01"], not_made="“NMNM 01” lies right beside, which is near."))

        assert "It was not made: “NMNM 01” lies right beside, which is near." in text

    def test_tells_what_lies_beside_the_archive(self, console: Client) -> None:
        configured(base="/a", documents_base_path="/d", misc_index_base_path="/m")
        lease = settled(None, state="done", runsheet_directory=known_directory())
        place = location(path="/d/NMNM 1").pk
        lease.remember_beside(Beside.DOCUMENTS, path="/d/NMNM 1", seen=Seen.FOUND, at=now(), directory_id=place)
        lease.remember_beside(Beside.MISC_INDEX, path="/m/NMNM 1", seen=Seen.UNSEEN, at=now(), why="It is closed.")
        lease.save()

        text = re.sub(r"\s+", " ", page(console, lease))

        assert '<dt>Document archive</dt><dd> <span class="exact">/d/NMNM 1</span>' in text
        assert 'Could not be looked at <code class="exact">/m/NMNM 1</code>' in text
        assert "<summary>The last look told nothing</summary><p>It is closed.</p></details>" in text

    def test_tells_what_is_not_there_and_what_nobody_has_looked_for(self, console: Client) -> None:
        configured(base="/a", documents_base_path="/d", misc_index_base_path="/m")
        lease = settled(None, state="done")
        lease.remember_beside(Beside.DOCUMENTS, path="/d/NMNM 1", seen=Seen.NOT_FOUND, at=now())
        lease.save()

        text = re.sub(r"\s+", " ", page(console, lease))

        assert 'Dropbox has none at <code class="exact">/d/NMNM 1</code>' in text
        assert "<dt>Miscellaneous index</dt><dd> Not looked at yet" in text
        assert text.count("To look now, press “Run full discovery”.") == 1

    def test_says_nothing_of_what_an_agency_does_not_have(self, console: Client) -> None:
        configured()

        assert "Document archive" not in page(console, settled(None, state="done"))

    def test_a_file_tells_it_too(self, console: Client) -> None:
        lease = settled(None, state="done")
        place = location(path="/d/NMNM 1").pk
        lease.remember_beside(Beside.DOCUMENTS, path="/d/NMNM 1", seen=Seen.FOUND, at=now(), directory_id=place)
        lease.remember_beside(Beside.MISC_INDEX, path="/m/NMNM 1", seen=Seen.NOT_FOUND, at=now())
        lease.save()

        rows = b"".join(console.get(f"{LIST}download/csv/").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

        assert "Document archive,Miscellaneous index" in rows
        assert "/d/NMNM 1,not found" in rows


class TestConfiguration:
    def test_names_each_folder_once(self) -> None:
        configuration = AgencyStorageConfig(
            runsheet_archive_base_path="/a", documents_base_path="/A", misc_index_base_path="/m"
        )

        assert configuration.beside == {Beside.MISC_INDEX: "/m"}
        assert configuration.folders == ("/a", "/m")
