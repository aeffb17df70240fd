"""From a terminal what “Make the missing archives” does."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from redis import Redis

from leases.making import CALLS_PER_ARCHIVE
from leases.models import Batch, Lease
from tests import factories
from tests.factories import BLM, configured, location, settled
from tests.leases.test_making import absent

pytestmark = pytest.mark.django_db

NUMBER, BESIDE, OTHERS = "NMNM 0000001", "NMNM 0000777", "NMNM 0000003"


@pytest.fixture(autouse=True)
def _makes(settings: Settings, redis: Redis) -> None:
    settings.DROPBOX_MAKES_ARCHIVES = True


@pytest.fixture
def leases(olivia: User) -> list[Lease]:
    """One that can be made, one beside what is nobody's, one beside another lease's, one nobody looked beside, and one found."""
    account = factories.account(user=olivia, scopes=["files.content.write"])
    account.save()
    configured()
    place = location(path=f"{BLM}/NMNM 0000004", name="NMNM 0000004")
    known = {"known_account": account.account_id, "known_base_path": BLM, "runsheet_directory": place}
    return [
        absent(olivia, NUMBER, nearest=[]),
        absent(olivia, BESIDE, nearest=["NMNM 0000778"]),
        absent(olivia, OTHERS, nearest=["NMNM 0000004"]),
        absent(olivia, "NMNM 0000009"),
        settled(olivia, lease_number="NMNM 0000004", state="done", **known),
    ]


def run(capsys: pytest.CaptureFixture[str], *given: str, **options: Any) -> str:
    call_command("make_archives", "blm", *given, user="olivia", **options)
    return " ".join(capsys.readouterr().out.split())


def planned(capsys: pytest.CaptureFixture[str], *given: str) -> list[tuple[str, bool, bool]]:
    found = json.loads(run(capsys, *given, dry_run=True, json=True))["leases"]
    return [(each["lease_number"], each["is_made"], each["beside_is_known"]) for each in found]


@pytest.mark.usefixtures("leases")
class TestDryRun:
    def test_tells_what_would_become_of_each_and_starts_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        said = run(capsys, dry_run=True)

        assert f"BLM {NUMBER}: “{BLM}/{NUMBER}” would be made BLM" in said
        assert f"BLM {OTHERS}: “{BLM}/{OTHERS}” would be made BLM" in said
        assert f"BLM {BESIDE}: would not be made. “NMNM 0000778” lies right beside." in said
        assert "would be made, if no archive of a near name lies beside it, which nobody has seen yet" in said
        assert "By what is known now 3 would be made, and 1 not; the run looks again." in said
        assert not Batch.objects.exists()

    def test_tells_it_to_programs(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert planned(capsys) == [
            (NUMBER, True, True),
            (OTHERS, True, True),
            ("NMNM 0000009", True, False),
            (BESIDE, False, True),
        ]

    def test_is_of_the_numbers_that_are_given(self, capsys: pytest.CaptureFixture[str], olivia: User) -> None:
        Lease.objects.filter(lease_number=NUMBER).update(due_at="2026-07-01T12:00Z")

        said = run(capsys, "nmnm 0000004", NUMBER, dry_run=True)

        assert "BLM NMNM 0000004: would not be made. It has an archive, or nobody has looked for one" in said
        assert f"BLM {NUMBER}: would not be made. It is under way." in said
        assert OTHERS not in said

    def test_says_that_none_can_be_made_here(self, capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
        settings.DROPBOX_MAKES_ARCHIVES = False

        with pytest.raises(CommandError, match="DROPBOX_MAKES_ARCHIVES=yes"):
            run(capsys, dry_run=True)

        assert "3 would be made" in capsys.readouterr().out

    def test_names_what_lies_beside_for_who_has_no_dropbox(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Whose archives they are is told by who sees the same folder."""
        User.objects.create_superuser("paul")

        call_command("make_archives", "BLM", OTHERS, NUMBER, user="paul", dry_run=True)

        said = " ".join(capsys.readouterr().out.split())
        assert "“NMNM 0000004” lies right beside." in said
        assert f"“{BLM}/{NUMBER}” would be made" in said


@pytest.mark.usefixtures("leases")
class TestMaking:
    def test_is_one_batch_of_those_that_are_missing(self, capsys: pytest.CaptureFixture[str]) -> None:
        said = run(capsys)

        batch = Batch.objects.get()
        assert f"Started: Missing archives of 4 leases, as batch {batch.pk}. Dropbox calls: about" in said
        assert f"about {4 * CALLS_PER_ARCHIVE}." in said
        assert Lease.objects.filter(due_at__isnull=False, makes_archive=True).count() == 4

    def test_tells_programs_what_was_not_made_and_why(
        self, olivia: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        why = "“NMNM 0000778” lies right beside, which nobody has been asked about."
        lease = absent(olivia, "NMNM 0000776", nearest=["NMNM 0000778"], not_made=why)
        monkeypatch.setattr("time.sleep", lambda _: Lease.objects.filter(pk=lease.pk).update(due_at=None))

        call_command("make_archives", "BLM", lease.lease_number, user="olivia", wait=True, json=True)

        printed = capsys.readouterr()
        document = json.loads(printed.out)
        assert (document["batch"], document["dropbox_calls"]) == (Batch.objects.get().pk, CALLS_PER_ARCHIVE)
        assert document["leases"][0]["not_made"] == why
        assert "Not made:" in printed.err

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            (["BLM", "NMNM 5"], "BLM has no lease “NMNM 5”. Nothing was started."),
            (["BLM", "a/b"], "must not contain"),
            (["XYZ"], "There is no agency “XYZ”."),
            (["NMSLO"], "NMSLO is not configured."),
            (
                ["BLM", "NMNM 0000004"],
                "None of these leases lacks its archive, or all are under way. Nothing was started.",
            ),
        ],
    )
    def test_says_in_a_sentence_what_cannot_be_done(self, given: list[str], why: str) -> None:
        with pytest.raises(CommandError, match=why):
            call_command("make_archives", *given, user="olivia")

        assert not Batch.objects.exists()
