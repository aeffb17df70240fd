"""The pages of imports and of batches, by real requests."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from leases import services
from leases.admin.imports import column_labels
from leases.batches import Stopped, import_leases, run_many
from leases.models import Batch, Lease, Upload
from leases.spreadsheets import Row
from leases.states import State

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

IMPORT = "/admin/leases/batch/import/"
GOOD = "Agency,Lease Number\nBLM,NMNM 1\nNMSLO,B0-1\n"
MIXED = "Agency,Lease Number\nBLM,NMNM 1\nXYZ,a/b\nBLM,nmnm 1\nBLM,OLD 1\n"


@pytest.fixture
def operator(viewer: User) -> User:
    wanted = Permission.objects.filter(codename__in=["run_discovery", "add_lease", "change_lease"])
    viewer.user_permissions.add(*wanted)
    return viewer


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client


def send(client: Client, content: str | bytes, name: str = "leases.csv") -> Any:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    return client.post(IMPORT, {"file": file}, follow=True)


def confirm(client: Client, answer: Any, **changed: str) -> Any:
    """Press the button of a preview."""
    preview = answer.context["preview"]
    fields = {field.name: field.value() for field in preview.form} | {"expected": str(preview.right_count)}
    return client.post(answer.request["PATH_INFO"], fields | changed, follow=True)


def page_url(batch: Batch) -> str:
    return reverse("admin:leases_batch_change", args=[batch.pk])


def buttons(client: Client, batch: Batch) -> list[str]:
    return [button.label for button in client.get(page_url(batch)).context["page"].buttons]


def imported(user: User, count: int = 3) -> Batch:
    return import_leases(leases=[("BLM", f"NMNM {n}") for n in range(1, count + 1)], user=user, title="leases.csv")


def settle(state: State) -> None:
    Lease.objects.update(state=state, due_at=None, failure_code="no_folder" if state == State.FAILED else "")


class TestImport:
    def test_previews_a_file_and_saves_nothing(self, console: Client) -> None:
        answer = send(console, GOOD)

        assert answer.redirect_chain[-1][0] == f"{IMPORT}{Upload.objects.get().pk}/"
        assert "<strong>2 leases can be imported.</strong>" in answer.text
        assert "Nothing is saved yet." in answer.text
        assert not Lease.objects.exists()

    def test_saves_what_is_confirmed_and_leads_to_its_batch(self, console: Client, operator: User) -> None:
        answer = confirm(console, send(console, GOOD))

        batch = Batch.objects.get()
        assert answer.redirect_chain[-1][0] == page_url(batch)
        assert "Imported: 2 leases. They are searched for now" in answer.text
        assert "another number" not in answer.text
        assert {str(lease) for lease in batch.leases.all()} == {"BLM NMNM 1", "NMSLO B0-1"}
        assert batch.created_by == operator

    def test_tells_every_problem_beside_its_cell(self, console: Client, operator: User) -> None:
        existing = services.create_lease(agency="BLM", lease_number="old 1", created_by=operator)

        answer = send(console, MIXED)

        text = answer.text
        assert [row.row for row in answer.context["preview"].page] == [3, 4, 5]
        assert "<strong>1 lease can be imported.</strong>" in text
        assert "3 rows have a problem and are left out, of which 1 exists already." in text
        assert "“XYZ” is no agency known here" in text
        assert "A lease number must not contain “/”." in text
        assert "This lease stands in row 2 already." in text
        assert f'<a href="/admin/leases/lease/{existing.pk}/change/">Open it</a>' in text

    def test_shows_all_rows_on_demand(self, console: Client) -> None:
        answer = send(console, MIXED)

        everything = console.get(answer.request["PATH_INFO"] + answer.context["preview"].tabs[1].url)

        assert len(everything.context["preview"].page.object_list) == 4
        assert everything.context["preview"].tabs[1].is_chosen

    def test_leaves_wrong_rows_out_and_says_so(self, console: Client) -> None:
        answer = confirm(console, send(console, MIXED))

        assert "Imported: 2 leases; 2 rows were left out." in answer.text

    def test_says_when_it_was_another_number_than_shown(self, console: Client) -> None:
        assert "another number than the preview showed" in confirm(console, send(console, GOOD), expected="7").text

    def test_confirmed_twice_is_one_import(self, console: Client) -> None:
        answer = send(console, GOOD)
        confirm(console, answer)

        again = confirm(console, answer)

        assert again.redirect_chain[-1][0] == page_url(Batch.objects.get())
        assert Lease.objects.count() == 2

    def test_asks_which_column_is_which_when_it_cannot_tell(self, console: Client) -> None:
        answer = send(console, "x,y,z\n1,A1,BLMX\n")
        assert "Say which column is which." in answer.text
        assert 'class="problem"' not in answer.text

        mapped = console.get(answer.request["PATH_INFO"], {"number": "1", "agency": "BLM", "first_row": "2"})

        assert "<strong>1 lease can be imported.</strong>" in mapped.text
        assert confirm(console, mapped).status_code == 200
        assert str(Lease.objects.get()) == "BLM A1"

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"number": "", "agency": "0", "first_row": "1"}, "Choose the column of lease numbers."),
            ({"number": "0", "agency": "", "first_row": "1"}, "Choose a column, or one agency for all."),
            ({"number": "0", "agency": "0", "first_row": "1"}, "One column cannot be both"),
            ({"number": "99", "agency": "BLM", "first_row": "1"}, "Select a valid choice."),
            ({"number": "0", "agency": "BLM", "first_row": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_says_what_is_missing_of_a_choice(self, console: Client, asked: dict[str, str], sentence: str) -> None:
        answer = send(console, GOOD)

        assert sentence in console.get(answer.request["PATH_INFO"], asked).text
        assert not Lease.objects.exists()
        assert console.post(answer.request["PATH_INFO"], asked).status_code == 302
        assert not Lease.objects.exists()

    def test_has_nothing_to_import_below_the_last_row(self, console: Client) -> None:
        answer = send(console, GOOD)
        asked = {"number": "1", "agency": "0", "first_row": "9"}

        assert "No row stands at or below" in console.get(answer.request["PATH_INFO"], asked).text
        assert "There is no row that could be imported." in console.post(
            answer.request["PATH_INFO"], asked, follow=True
        ).text  # fmt: skip

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "“leases.csv” is empty."),
            (b"\x89PNG\r\n\x1a\n\0\0", "This is no table"),
            (b"PK\x03\x04 and no more", "This XLSX file is broken."),
            (b"BLM,\x81\x8d\n", "encodings UTF-8, UTF-16 and Windows-1252"),
            (b"x" * 100_000_000, "This file has 100.0 MB; at most 10 MB can be imported at once."),
        ],
    )
    def test_says_in_one_sentence_what_is_wrong_with_a_file(
        self, console: Client, content: bytes, sentence: str
    ) -> None:
        answer = send(console, content)

        assert sentence in answer.text
        assert len(answer.context["form"].errors["file"]) == 1
        assert not Upload.objects.exists()

    def test_asks_for_a_file_first(self, console: Client) -> None:
        assert "Choose a file first." in console.post(IMPORT).text

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_leads_back_when_the_file_is_no_longer_kept(self, console: Client, method: str) -> None:
        answer = getattr(console, method)(f"{IMPORT}0/", follow=True)

        assert answer.redirect_chain[-1][0] == IMPORT
        assert "The file that was chosen is no longer kept. Choose it again." in answer.text

    def test_escapes_what_stands_in_the_file(self, console: Client) -> None:
        text = send(console, "agency,lease\n<script>1</script>,<b>\n", name="<i>.csv").text

        assert "<script>1" not in text
        assert "<b>" not in text
        assert "<i>" not in text

    def test_is_for_who_may_make_leases(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)

        assert client.get(IMPORT).status_code == 403
        assert send(client, GOOD).status_code == 403
        assert not Upload.objects.exists()


class TestPreviewOf5000Rows:
    def test_is_paged_and_needs_the_same_queries(
        self, console: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        answer = send(console, "agency,lease\n" + "".join(f"BLM,N {n}\n" for n in range(5_000)))
        url = answer.request["PATH_INFO"]

        with django_assert_max_num_queries(15):
            last = console.get(url, {"number": "1", "agency": "0", "first_row": "2", "page": "100"})

        assert "5,000 leases can be imported." in last.text
        assert "Page 100 of 100" in last.text
        assert ">N 4999<" in last.text
        assert ">N 4900<" not in last.text
        assert len(last.content) < 60_000
        before = parse_qs(urlsplit(last.context["preview"].previous_url).query)
        assert before == {"number": ["1"], "agency": ["0"], "first_row": ["2"], "page": ["99"]}
        assert last.context["preview"].next_url == ""


class TestColumnLabels:
    def test_are_those_of_a_spreadsheet(self) -> None:
        rows = [Row(number=1, cells=["Agency", "", *[""] * 24, "x" * 50])]

        labels = column_labels(rows)

        assert labels[:2] == ["A: Agency", "B"]
        assert labels[25:] == ["Z", f"AA: {'x' * 40}"]


class TestBatchPage:
    def test_shows_how_far_it_is_and_leads_to_the_leases(self, console: Client, operator: User) -> None:
        batch = imported(operator, 4)
        first, second, third, _ = Lease.objects.order_by("pk")
        Lease.objects.filter(pk=first.pk).update(state=State.DONE, due_at=None)
        Lease.objects.filter(pk=second.pk).update(state=State.FAILED, due_at=None, failure_code="no_folder")
        Lease.objects.filter(pk=third.pk).update(state=State.DETECTING)

        answer = console.get(page_url(batch))

        page = answer.context["page"]
        assert '<progress class="progress" max="4" value="2"' in answer.text
        assert "2 of 4 leases settled, 1 under way, 1 waiting." in answer.text
        assert [(count.label, count.count) for count in page.counts] == [
            ("Waiting", 1),
            ("Under way", 1),
            ("Done", 1),
            ("Failed", 1),
        ]
        assert [(count.label, count.count) for count in page.failures] == [("no folder", 1)]

    def test_leads_to_lists_of_exactly_those_leases(self, console: Client, operator: User) -> None:
        services.create_lease(agency="NMSLO", lease_number="another", created_by=operator)
        batch = imported(operator, 4)
        first, second, third, _ = Lease.objects.filter(agency="BLM").order_by("pk")
        Lease.objects.filter(pk=first.pk).update(state=State.DONE, due_at=None)
        Lease.objects.filter(pk=second.pk).update(state=State.FAILED, due_at=None, failure_code="no_folder")
        Lease.objects.filter(pk=third.pk).update(state=State.DETECTING)

        page = console.get(page_url(batch)).context["page"]

        for count in [*page.counts[1:], *page.failures]:
            assert console.get(count.url).context["cl"].result_count == count.count, count
        assert console.get(page.list_url).context["cl"].result_count == 4

    def test_groups_the_digits_of_large_numbers(self, console: Client, operator: User) -> None:
        batch = imported(operator, 1_200)

        answer = console.get(page_url(batch))

        assert "0 of 1,200 leases settled" in answer.text
        assert 'max="1200"' in answer.text
        assert "Stop 1,200" in answer.text

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (State.DONE, []),
            (State.FAILED, ["Run 3 failed again"]),
            (State.PENDING, ["Run 3 not run"]),
        ],
    )
    def test_offers_what_can_be_done(self, console: Client, operator: User, state: State, expected: list[str]) -> None:
        batch = imported(operator)
        assert buttons(console, batch) == ["Stop 3"]

        settle(state)

        assert buttons(console, batch) == expected

    def test_offers_nothing_to_who_may_not(self, client: Client, operator: User) -> None:
        batch = imported(operator)
        looker = User.objects.create_user("looker", is_staff=True)
        looker.user_permissions.add(Permission.objects.get(codename="view_lease"))
        client.force_login(looker)

        assert buttons(client, batch) == []

    def test_is_that_of_an_empty_batch_once_its_leases_are_deleted(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        Lease.objects.all().delete()

        answer = console.get(page_url(batch))

        assert "0 of 0 leases settled." in answer.text
        assert '<progress class="progress" max="1" value="1"' in answer.text


class TestLive:
    def test_follows_the_work_until_nothing_is_owed(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        page = console.get(page_url(batch)).context["page"]
        assert console.get(page.poll_url).status_code == 204

        Lease.objects.filter(lease_number="NMNM 1").update(state=State.DONE, due_at=None)
        changed = console.get(page.poll_url)
        assert "1 of 3 leases settled" in changed.text
        assert 'id="batch" data-poll="' in changed.text
        assert "30 % settled" in changed.text

        settle(State.DONE)
        settled = console.get(changed.context["page"].poll_url)
        assert "data-poll" not in settled.text
        assert "All leases of this batch are settled" in settled.text

    def test_costs_two_queries_as_long_as_nothing_changes(
        self, console: Client, operator: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        url = console.get(page_url(imported(operator))).context["page"].poll_url

        with django_assert_num_queries(2):
            console.get(url)

    def test_is_for_who_may_see_leases(self, console: Client, operator: User) -> None:
        url = console.get(page_url(imported(operator))).context["page"].poll_url
        console.force_login(User.objects.create_user("nobody", is_staff=True))

        assert console.get(url).status_code == 403

    def test_is_of_a_batch_that_exists(self, console: Client) -> None:
        assert console.get("/admin/leases/batch/0/live/").status_code == 404


class TestButtons:
    def test_stop(self, console: Client, operator: User) -> None:
        batch = imported(operator)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/stop/", follow=True)

        assert answer.redirect_chain == [(page_url(batch), 302)]
        assert "Stopped: 3 leases." in answer.text
        assert "by viewer" in answer.text
        assert not Lease.objects.filter(due_at__isnull=False).exists()

    def test_stop_more_than_one_click_can(
        self, console: Client, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = imported(operator)
        monkeypatch.setattr("leases.batches.stop", lambda **_: Stopped(count=1_200, left=3_800))

        answer = console.post(f"/admin/leases/batch/{batch.pk}/stop/", follow=True)

        assert "Stopped: 1,200 leases. 3,800 are still under way: press “Stop” once more." in answer.text

    def test_stop_what_is_stopped(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        settle(State.DONE)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/stop/", follow=True)

        assert "There was nothing left to stop." in answer.text

    @pytest.mark.parametrize("state", [State.FAILED, State.PENDING])
    def test_run_again(self, console: Client, operator: User, state: State) -> None:
        batch = imported(operator)
        settle(state)
        Lease.objects.filter(lease_number="NMNM 1").update(state=State.DONE)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/again/", {"state": state}, follow=True)

        assert "Started again: 2 leases." in answer.text
        assert Lease.objects.filter(due_at__isnull=False).count() == 2

    def test_run_again_what_runs_already(self, console: Client, operator: User) -> None:
        batch = imported(operator)

        answer = console.post(f"/admin/leases/batch/{batch.pk}/again/", follow=True)

        assert "There is nothing to start" in answer.text

    @pytest.mark.parametrize("name", ["stop", "again"])
    def test_lead_back_to_the_list_when_the_batch_is_gone(self, console: Client, name: str) -> None:
        answer = console.post(f"/admin/leases/batch/0/{name}/", follow=True)

        assert answer.redirect_chain == [(reverse("admin:leases_batch_changelist"), 302)]
        assert "This batch no longer exists." in answer.text

    @pytest.mark.parametrize("name", ["stop", "again"])
    def test_are_for_who_may_run_discovery(self, client: Client, viewer: User, olivia: User, name: str) -> None:
        batch = imported(olivia)
        client.force_login(viewer)

        assert client.post(f"/admin/leases/batch/{batch.pk}/{name}/").status_code == 403
        assert Lease.objects.filter(due_at__isnull=False).count() == 3


class TestHistory:
    def test_shows_each_import_and_run_as_one_entry(self, console: Client, operator: User) -> None:
        import_leases(leases=[("BLM", "1")], user=operator, title="a.csv", left_out=2)
        settle(State.DONE)
        run_many(Lease.objects.all(), operator, title="Run of one")

        text = console.get(reverse("admin:leases_batch_changelist")).text

        assert "a.csv" in text
        assert "1 (2 left out)" in text
        assert "Run of one" in text
        assert "under way" in text

    def test_says_who_stopped_one(self, console: Client, operator: User) -> None:
        batch = imported(operator)
        console.post(f"/admin/leases/batch/{batch.pk}/stop/")

        assert "stopped by viewer" in console.get(reverse("admin:leases_batch_changelist")).text

    def test_needs_the_same_queries_for_many(
        self, console: Client, operator: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            import_leases(leases=[("BLM", str(number))], user=operator, title=f"{number}.csv")

        with django_assert_max_num_queries(12):
            console.get(reverse("admin:leases_batch_changelist"))

    def test_says_what_to_do_while_it_is_empty(self, console: Client) -> None:
        text = console.get(reverse("admin:leases_batch_changelist")).text

        assert "Nothing has been imported or run in bulk yet" in text
        assert f'href="{IMPORT}"' in text

    def test_offers_no_import_to_who_may_not(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)

        assert IMPORT not in client.get(reverse("admin:leases_batch_changelist")).text
