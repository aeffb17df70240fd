"""From a terminal what the buttons do."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from redis import Redis

from cloud.models import CloudLocation
from discovery.management.commands import discover
from leases.lookalikes import doubts_about_number
from leases.models import Lease
from leases.services import create_lease
from leases.states import State
from statemachine.models import TransitionLog
from statemachine.transitions import Actor, Step, take

type Meanwhile = Callable[[Callable[[], object]], None]

NUMBER = "NMNM 0501759"


@pytest.fixture(autouse=True)
def _empty_redis(redis: Redis) -> None: ...


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> "Meanwhile":
    """Say what happens while the command waits to look again."""

    def say(happens: Callable[[], object]) -> None:
        monkeypatch.setattr("time.sleep", lambda _: happens())

    return say


def settle(state: State = State.NOT_FOUND, **values: object) -> None:
    Lease.objects.update(state=state, due_at=None, **values)


def settled(number: str, user: User, *, state: State = State.FAILED) -> Lease:
    lease = create_lease(agency="BLM", lease_number=number, created_by=user)
    Lease.objects.filter(pk=lease.pk).update(state=state, due_at=None, failure_code="bug")
    return lease


class TestStarting:
    def test_creates_the_leases_that_do_not_exist_and_returns(
        self, olivia: User, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("discover", "BLM", NUMBER, "NMNM 2", user="olivia")

        assert [(lease.lease_number, lease.state, lease.follow_through) for lease in Lease.objects.order_by("pk")] == [
            (NUMBER, "searching", True),
            ("NMNM 2", "searching", True),
        ]
        told = f"BLM {NUMBER}: created\nBLM NMNM 2: created\nDropbox calls: about 4, by your Dropbox account\n"
        assert capsys.readouterr().out == told

    def test_tells_of_a_number_that_may_not_be_meant(self, olivia: User, capsys: pytest.CaptureFixture[str]) -> None:
        settled("NMNM 0014321", olivia)

        call_command("discover", "BLM", "NMNM 14321", "B0\N{EN DASH}1", "NMNM 7", user="olivia")

        said = " ".join(capsys.readouterr().out.split())
        assert said == (
            "BLM NMNM 14321: created "
            "See whether this number is meant: BLM already has NMNM 0014321, which differs only in zeros. "
            "BLM B0\N{EN DASH}1: created "
            "See whether this number is meant: “\N{EN DASH}” (en dash) only looks like “-”; type it again by hand. "
            "BLM NMNM 7: created Dropbox calls: about 6, by your Dropbox account"
        )

    @pytest.mark.parametrize("number", ["9.4E+06", "NMNM 0O28446A", "NMNM \u00d81", "NMNM 1;", "NMNM 1.", "Pending"])
    @pytest.mark.parametrize("exists", [False, True])
    def test_tells_what_an_import_doubts(
        self, olivia: User, capsys: pytest.CaptureFixture[str], number: str, *, exists: bool
    ) -> None:
        if exists:
            settled(number, olivia)
        (doubt,) = doubts_about_number(number)

        call_command("discover", "BLM", number, user="olivia")

        # Long lines are broken.
        assert f" See whether this number is meant: {doubt}" in " ".join(capsys.readouterr().out.split())

    def test_folds_what_nobody_sees(self, olivia: User) -> None:
        call_command("discover", "BLM", "'NM\u200bNM\u00a0\uff11 ", user="olivia")

        assert Lease.objects.get().lease_number == "NMNM 1"

    @pytest.mark.parametrize(("one", "other"), [("straße", "STRASSE"), ("\ufb01 1", "FI 1")])
    def test_takes_two_folders_for_two_leases(self, olivia: User, one: str, other: str) -> None:
        call_command("discover", "BLM", one, other, user="olivia")

        assert Lease.objects.count() == 2

    def test_mixes_no_lines_of_the_log_into_what_it_says(self, olivia: User, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("INFO"):
            call_command("discover", "BLM", NUMBER, user="olivia")
            assert caplog.text == ""
            call_command("discover", "BLM", "NMNM 2", user="olivia", verbosity=2)
            assert "transition:" in caplog.text

    def test_starts_a_lease_that_exists_again_in_whatever_case_it_is_typed(self, olivia: User) -> None:
        lease = settled(NUMBER, olivia)

        call_command("discover", "BLM", NUMBER.lower(), user="olivia")

        lease = Lease.objects.get(pk=lease.pk)
        assert (Lease.objects.count(), lease.state, lease.initiated_by) == (1, "searching", olivia)

    def test_leaves_a_lease_at_work_and_says_so(self, olivia: User, capsys: pytest.CaptureFixture[str]) -> None:
        lease = create_lease(agency="BLM", lease_number=NUMBER, created_by=olivia)

        call_command("discover", "BLM", NUMBER, user="olivia")

        assert capsys.readouterr().out == f"BLM {NUMBER}: was at work already\n"
        assert TransitionLog.objects.of(lease).count() == 1

    @pytest.mark.parametrize("exists", [True, False])
    def test_only_search_stops_at_found(self, olivia: User, *, exists: bool) -> None:
        if exists:
            settled(NUMBER, olivia)

        call_command("discover", "BLM", NUMBER, user="olivia", only="search")

        lease = Lease.objects.get()
        assert (lease.state, lease.follow_through) == ("searching", False)

    def test_only_detect_looks_into_a_known_directory(self, olivia: User) -> None:
        lease = settled(NUMBER, olivia, state=State.FOUND)
        place = CloudLocation.objects.create(path="/a", name="a")
        Lease.objects.update(runsheet_directory=place)

        call_command("discover", "BLM", NUMBER, user="olivia", only="detect")

        assert Lease.objects.get(pk=lease.pk).state == "detecting"


class TestRefusing:
    @pytest.mark.parametrize(
        ("agency", "numbers", "sentence"),
        [
            ("USFS", [NUMBER], "There is no agency “USFS”. There are NMSLO, BLM."),
            ("BLM", [NUMBER, "a/b"], "“a/b”: A lease number must not contain “/”."),
            ("BLM", [NUMBER, "a..b"], "“a..b”: A lease number must not contain “..”."),
            (
                "BLM",
                [NUMBER, "a\x07b"],
                (
                    "“a\\x07b”: A lease number must not contain control characters or invisible characters; "
                    "type it again by hand."
                ),
            ),
            (
                "BLM",
                [NUMBER, "9" * 300],
                f"“{'9' * 60}…”: A lease number has at most 100 characters; this one has 300.",
            ),
            ("BLM", [NUMBER, ""], "“”: Enter a lease number, for example NMNM 0501759."),
            (
                "BLM",
                [NUMBER, NUMBER.lower()],
                "“nmnm 0501759” is named twice (upper and lower case are the same). Name it once.",
            ),
        ],
    )
    def test_bad_input_gets_one_sentence_and_changes_nothing(
        self, olivia: User, agency: str, numbers: list[str], sentence: str
    ) -> None:
        with pytest.raises(CommandError) as refused:
            call_command("discover", agency, *numbers, user="olivia")

        assert str(refused.value) == sentence
        assert not Lease.objects.exists()

    def test_an_unknown_user_is_named(self, olivia: User) -> None:
        with pytest.raises(CommandError, match=r"^There is no active user “oliver”\. "):
            call_command("discover", "BLM", NUMBER, user="oliver")

    def test_a_user_whose_name_is_no_text_is_unknown(self, olivia: User) -> None:
        with pytest.raises(CommandError, match=r"^There is no active user “\ufffd”\. "):
            call_command("discover", "BLM", NUMBER, user="\udcff")

    def test_a_user_who_has_left_is_unknown(self, olivia: User) -> None:
        User.objects.update(is_active=False)

        with pytest.raises(CommandError, match=r"^There is no active user “olivia”\. "):
            call_command("discover", "BLM", NUMBER, user="olivia")

    @pytest.mark.parametrize(
        ("permissions", "sentence"),
        [
            ([], "vera may not start discovery. Ask an administrator."),
            (["run_discovery"], "vera may not create leases. Ask an administrator."),
        ],
    )
    def test_the_users_permissions_count(self, db: None, permissions: list[str], sentence: str) -> None:
        vera = User.objects.create_user("vera")
        vera.user_permissions.set(Permission.objects.filter(codename__in=permissions))

        with pytest.raises(CommandError) as refused:
            call_command("discover", "BLM", NUMBER, user="vera")

        assert str(refused.value) == sentence
        assert not Lease.objects.exists()

    def test_needs_no_permission_to_create_what_exists(self, olivia: User) -> None:
        settled(NUMBER, olivia)
        vera = User.objects.create_user("vera")
        vera.user_permissions.add(Permission.objects.get(codename="run_discovery"))

        call_command("discover", "BLM", NUMBER, user="vera")

        assert Lease.objects.get().state == "searching"

    @pytest.mark.parametrize("exists", [True, False])
    def test_detection_needs_a_known_directory(self, olivia: User, *, exists: bool) -> None:
        if exists:
            settled(NUMBER, olivia)

        with pytest.raises(CommandError) as refused:
            call_command("discover", "BLM", NUMBER, user="olivia", only="detect")

        assert str(refused.value) == f"No archive directory is known for “{NUMBER}”. Search for it first."
        assert not Lease.objects.exclude(state="failed").exists()

    def test_a_database_that_is_down_is_said_in_a_sentence(self, olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def down(**_: object) -> None:
            raise OperationalError

        monkeypatch.setattr(discover, "discover_leases", down)

        with pytest.raises(CommandError, match=r"^The database does not answer"):
            call_command("discover", "BLM", NUMBER, user="olivia")

    @pytest.mark.parametrize("timeout", ["0", "-1", "soon", "inf", "nan"])
    def test_a_time_limit_is_a_positive_number(self, timeout: str) -> None:
        with pytest.raises(CommandError, match=r"must be a number of seconds above 0"):
            call_command("discover", "BLM", NUMBER, "--user=olivia", f"--timeout={timeout}")


class TestWaiting:
    def test_returns_at_once_when_nothing_is_owed_any_more(self, olivia: User, meanwhile: Meanwhile) -> None:
        meanwhile(settle)

        call_command("discover", "BLM", NUMBER, "--user=olivia", "--wait", "--timeout=30")

        assert Lease.objects.get().state == "not_found"

    def test_ends_well_when_all_have_settled(
        self, olivia: User, meanwhile: Meanwhile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place = CloudLocation.objects.create(path="/a", name="a", share_url="https://example.com/s")
        found = ["Master Documents.pdf"]
        meanwhile(
            lambda: settle(State.DONE, runsheet_directory=place, runsheet_report_found=True, matching_files=found)
        )

        call_command("discover", "BLM", NUMBER, user="olivia", wait=True)

        shown = capsys.readouterr().out
        assert "Done" in shown
        assert "Master" in shown

    def test_sends_a_terminal_nothing_that_it_obeys(
        self, olivia: User, meanwhile: Meanwhile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place = CloudLocation.objects.create(path="/a", name="a", share_url="https://example.com/s")
        found = ["\x9b2JMaster [red]Documents[/]"]
        values = {"runsheet_directory": place, "runsheet_report_found": True, "matching_files": found}
        meanwhile(lambda: settle(State.DONE, **values))

        call_command("discover", "BLM", NUMBER, user="olivia", wait=True)

        shown = capsys.readouterr().out
        assert "\x9b" not in shown
        assert "\ufffd2JMaster" in shown
        assert "[red]" in shown

    def test_says_what_failed_in_words_that_a_terminal_does_not_obey(
        self, olivia: User, meanwhile: Meanwhile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        meanwhile(lambda: settle(State.FAILED, failure_code="bug", failure_message="\x9b2JBroken."))

        with pytest.raises(CommandError):
            call_command("discover", "BLM", NUMBER, user="olivia", wait=True)

        assert "\ufffd2JBroken." in capsys.readouterr().out

    def test_ends_badly_when_one_failed(self, olivia: User, meanwhile: Meanwhile) -> None:
        meanwhile(lambda: settle(State.FAILED, failure_code="bug", failure_message="It is broken."))

        with pytest.raises(CommandError) as failed:
            call_command("discover", "BLM", NUMBER, user="olivia", wait=True)

        assert str(failed.value) == f"Failed: BLM {NUMBER}. It says above why, and what to do."
        assert failed.value.returncode == 1

    def test_gives_up_waiting_after_the_time_limit_and_leaves_the_lease_at_work(self, olivia: User) -> None:
        with pytest.raises(CommandError, match=rf"^Still at work after 0.01 s: BLM {NUMBER}\."):
            call_command("discover", "BLM", NUMBER, user="olivia", wait=True, timeout=0.01)

        assert Lease.objects.get().state == "searching"

    def test_an_interrupt_leaves_the_lease_at_work_and_says_so(
        self, olivia: User, meanwhile: Meanwhile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        meanwhile(interrupt)

        with pytest.raises(SystemExit) as interrupted:
            call_command("discover", "BLM", NUMBER, user="olivia", wait=True)

        assert interrupted.value.code == 130
        assert "the leases stay at work" in capsys.readouterr().err
        assert Lease.objects.get().state == "searching"

    def test_prints_one_json_document_and_nothing_else_on_standard_output(
        self, olivia: User, meanwhile: Meanwhile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        meanwhile(settle)

        call_command("discover", "BLM", NUMBER, user="olivia", wait=True, json=True)

        printed = capsys.readouterr()
        [lease] = json.loads(printed.out)["leases"]
        assert lease == {
            "how": "created",
            "id": Lease.objects.get().pk,
            "agency": "BLM",
            "lease_number": NUMBER,
            "state": "not_found",
            "settled": True,
            "path": None,
            "share_url": None,
            "share_refusal": None,
            "report_found": None,
            "matching_files": [],
            "matching_count": 0,
            "failure_code": None,
            "failure_message": None,
            "advice": "Check the lease number; if it is right, there is no archive yet",
        }
        assert "Directory not found" in printed.err

    def test_says_beside_no_report_what_was_passed_over(
        self, olivia: User, meanwhile: Meanwhile, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def look() -> None:
            Lease.objects.update(state=State.DETECTING)
            step = Step(
                transition="record_detection", arguments={"matching_files": []}, evidence={"passed_over_count": 2}
            )
            take(model=Lease, pk=Lease.objects.get().pk, step=step, actor=Actor.worker("job-1"))

        meanwhile(look)

        call_command("discover", "BLM", NUMBER, user="olivia", wait=True, json=True)

        printed = capsys.readouterr()
        [lease] = json.loads(printed.out)["leases"]
        assert lease["report_found"] is False
        assert lease["passed_over_count"] == 2
        assert "none; 2" in printed.err
