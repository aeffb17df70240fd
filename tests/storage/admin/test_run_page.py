"""The page of a run: how far it is, what came of it and why, and what can be done with it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from statemachine.slices import owe_next_slice
from statemachine.transitions import locked
from storage.admin.buttons import FORGOTTEN
from storage.models import Action, IndexRun, RunState, StoredFile
from storage.services import IndexSyncService
from tests.storage.admin.conftest import NO_STATIC, browser_of, changed, changes_of, made, page_of, press, text_of
from tests.storage.conftest import Index, rows, states
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tree", "redis"), NO_STATIC]


class TestProgress:
    def test_tells_what_was_looked_at_of_about_how_much(self, viewer: Client) -> None:
        made(RunState.DONE, counts={"files_on_disk": 90_000, "dirs_scanned": 10_000})
        run = made(RunState.PLANNING, counts={"files_on_disk": 12_000, "dirs_scanned": 345}, planned_up_to=1)

        answer = viewer.get(page_of(run))

        assert "Looked at 12,345 of about 100,000 entries. 1 change is planned so far." in text_of(answer)
        assert '<progress class="progress" value="12345" max="100000"' in answer.text

    @pytest.mark.parametrize("said", [{"incremental": True}, {"prefix": "7/"}])
    def test_guesses_nothing_from_what_is_about_something_else(self, viewer: Client, said: dict[str, object]) -> None:
        made(RunState.DONE, counts={"files_on_disk": 90_000})
        run = made(RunState.PLANNING, counts={"files_on_disk": 12}, **said)

        answer = viewer.get(page_of(run))

        assert "Looked at 12 entries. 0 changes are planned so far." in text_of(answer)
        assert "<progress" not in answer.text

    def test_guesses_nothing_from_a_run_that_was_refused(self, viewer: Client) -> None:
        made(RunState.DONE, counts={"files_on_disk": 90_000})
        made(RunState.REFUSED, counts={"files_on_disk": 5_000})
        run = made(RunState.PLANNING, counts={"files_on_disk": 12})

        assert "Looked at 12 of about 90,000 entries." in text_of(viewer.get(page_of(run)))

    def test_does_not_hold_to_a_guess_that_was_too_low(self, viewer: Client) -> None:
        made(RunState.DONE, counts={"files_on_disk": 3})
        run = made(RunState.PLANNING, counts={"files_on_disk": 12}, place={"sorting": True})

        text = text_of(viewer.get(page_of(run)))

        assert "Looked at 12 entries." in text
        assert "The listing comes in another order than ours, and is sorted first." in text

    def test_tells_how_much_is_applied(self, viewer: Client) -> None:
        run = made(RunState.APPLYING, applied_up_to=5_000, planned_up_to=12_000)

        answer = viewer.get(page_of(run))

        assert "Applied 5,000 of 12,000 changes." in text_of(answer)
        assert '<progress class="progress" value="5000" max="12000"' in answer.text

    def test_tells_how_much_is_still_to_be_taken_back(self, viewer: Client) -> None:
        run = made(RunState.UNDOING, applied_up_to=1, planned_up_to=12_000)

        answer = viewer.get(page_of(run))

        assert "1 change is still to be taken back." in text_of(answer)
        assert '<progress class="progress" value="11999" max="12000"' in answer.text

    def test_is_followed_within_a_slice_and_beyond_it(self, viewer: Client, service: IndexSyncService) -> None:
        run = service.start(mode="audit")
        page = viewer.get(page_of(run))
        poll = page.context["panel"].poll_url
        assert viewer.get(poll).status_code == 204

        IndexRun.objects.filter(pk=run.pk).update(counts={"files_on_disk": 5_000})
        followed = viewer.get(poll)
        assert "Looked at 5,000 entries." in text_of(followed)

        poll = followed.context["panel"].poll_url
        with locked(IndexRun, run.pk) as record:
            owe_next_slice(record)
        assert viewer.get(poll).status_code == 200

    def test_is_followed_in_the_list(self, viewer: Client, service: IndexSyncService) -> None:
        run = service.start(mode="audit")
        listed = viewer.get("/admin/storage/indexrun/").context["cl"]
        poll = listed.poll_url(User.objects.get(username="viewer"))
        assert viewer.get(poll).status_code == 204

        IndexRun.objects.filter(pk=run.pk).update(counts={"records_created": 5_000})

        assert "5,000 created" in text_of(viewer.get(poll))


class TestWhatWasAskedFor:
    def test_is_told_in_words(self, viewer: Client) -> None:
        run = made(
            mode="full", dry_run=True, checksums=True, include_protected=True, grace=timedelta(days=1), prefix="7/",
            user=User.objects.get(pk=7), allow_missing=1_234,
        )  # fmt: skip

        text = text_of(viewer.get(page_of(run)))

        assert "Mode Full (dry run, with checksums, protected rows, too)" in text
        assert "Only what belongs to user 7 (7/)" in text
        assert "Grace 1 day" in text
        assert "May be missing 1,234" in text

    def test_is_told_of_somebody_who_is_gone(self, viewer: Client) -> None:
        assert "a user who is no longer here (9/)" in text_of(viewer.get(page_of(made(prefix="9/"))))


class TestFigures:
    def test_are_told_in_words_and_lead_to_their_rows(self, viewer: Client) -> None:
        run = made(
            counts={
                "files_on_disk": 1_000, "records_created": 12, "renamed": 1, "bytes": 2_048, "left": 3,
                "seconds": {"planning": 3.21, "applying": 75.0},
            }
        )  # fmt: skip
        changed(run, Action.CREATE)

        answer = viewer.get(page_of(run))

        text = text_of(answer)
        assert "Differences 12 created, 1 renamed Show them" in text
        assert "Files that lie there 1,000" in text
        assert f'<a href="{changes_of(run)}?action=create">12</a>' in answer.text
        assert "Size of all files 2.0\xa0KB" in text or "Size of all files 2.0 KB" in text
        assert "Time Comparing 3.2 s, applying 1 min 15 s" in text
        assert "3 rows were changed meanwhile or protected by then, and left as they are" in text

    def test_lead_nowhere_for_who_may_not_read_the_plan(self) -> None:
        client = browser_of("Viewer")
        person = User.objects.get(username="viewer")
        person.groups.clear()
        person.user_permissions.add(Permission.objects.get(codename="view_indexrun"))
        run = made(counts={"records_created": 12})
        changed(run, Action.CREATE)

        assert changes_of(run) not in client.get(page_of(run)).text
        assert client.get(changes_of(run)).status_code == 403

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"state": RunState.PLANNING, "plan_is_whole": False}, "Differences Not known yet"),
            ({"state": RunState.DONE}, "Differences In sync"),
            ({"state": RunState.DONE, "counts": {"missing_in_db": 1}}, "Differences None"),
            ({"state": RunState.PLANNED}, "The rows say what lies there: there is nothing to apply."),
            (
                {"state": RunState.PLANNED, "counts": {"missing_in_db": 1}},
                "There is nothing to apply. What is skipped or odd",
            ),
            ({"counts": {"records_missed": 2}}, "Nothing was changed. It would come to: 2 missing."),
        ],
    )
    def test_say_so_if_there_is_nothing(self, viewer: Client, said: dict[str, object], words: str) -> None:
        assert words in text_of(viewer.get(page_of(made(**said))))  # type: ignore[arg-type]


class TestApply:
    def test_does_what_was_planned(self, administrator: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a")
        run = index("sync", dry_run=True)

        answer = press(administrator, run, "apply")
        IndexSyncService().work(run_id=run.pk)

        assert f"Index run {run.pk}: “Apply” was started." in text_of(answer)
        assert rows() == tree.oracle()

    @pytest.fixture
    def deleting(self, index: Index, tree: Tree) -> IndexRun:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")
        return index("full", dry_run=True)

    def test_of_what_deletes_asks_first(self, administrator: Client, deleting: IndexRun) -> None:
        text = text_of(administrator.get(page_of(deleting)))

        assert "1 row is deleted. It can be undone until a later run changes rows." in text

        answer = press(administrator, deleting, "apply")

        assert "Tick that rows may be deleted. Nothing was changed." in text_of(answer)
        deleting = IndexRun.objects.get(pk=deleting.pk)
        assert deleting.state == "planned"

    def test_of_what_deletes_goes_on_once_it_is_said(self, administrator: Client, deleting: IndexRun) -> None:
        press(administrator, deleting, "apply", force="on")
        IndexSyncService().work(run_id=deleting.pk)

        assert "7/b" not in states()

    def test_says_if_protected_rows_go_too(self, administrator: Client) -> None:
        run = made(mode="full", include_protected=True, counts={"records_deleted": 2})

        text = text_of(administrator.get(page_of(run)))

        assert "2 rows are deleted, also where something stands on them, as a share link." in text

    def test_is_refused_while_another_run_is_under_way(self, administrator: Client, index: Index) -> None:
        run = index("audit")
        busy = made(RunState.PLANNING)

        assert f"Run {busy.pk} of the root “documents” is under way." in text_of(press(administrator, run, "apply"))

    def test_is_not_done_if_somebody_was_faster(self, administrator: Client, index: Index) -> None:
        run = index("audit")
        seen = run.generation
        IndexSyncService().abort(run_id=run.pk)

        answer = press(administrator, run, "apply", generation=seen)

        assert "“Apply” was not done, because the index run had moved on" in text_of(answer)

    def test_is_not_for_operators(self, operator: Client, index: Index) -> None:
        run = index("audit")

        assert press(operator, run, "apply").status_code == 403
        text = text_of(operator.get(page_of(run)))
        assert "Apply is not offered. You do not have the permission to let an index run change, clean or undo." in text


class TestOverride:
    @pytest.fixture
    def refused(self, index: Index, tree: Tree) -> IndexRun:
        """121 of 122 are missing."""
        tree.fill("7", 121)
        tree.put("8/kept")
        index("sync")
        tree.remove("7")
        return index("sync")

    def test_says_why_it_is_refused(self, viewer: Client, refused: IndexRun) -> None:
        text = text_of(viewer.get(page_of(refused)))

        assert refused.refusal in text
        assert "let it go on" not in text

    def test_wants_the_number(self, administrator: Client, refused: IndexRun) -> None:
        assert "Its plan is applied at once then. Go on only if somebody took the files away on purpose." in text_of(
            administrator.get(page_of(refused))
        )
        for said, told in (
            ({}, "Say how many are missing. Nothing was changed."),
            ({"allow_missing": "all"}, "Say how many are missing, as a number. Nothing was changed."),
            ({"allow_missing": refused.missing_count - 1}, f"{refused.missing_count} are missing. Say that number"),
            ({"allow_missing": "9" * 30}, "Ensure this value is less than or equal to 2147483647."),
        ):
            assert told in text_of(press(administrator, refused, "override", **said)), said
        refused = IndexRun.objects.get(pk=refused.pk)
        assert refused.state == "refused"

    def test_goes_on_with_it(self, administrator: Client, refused: IndexRun) -> None:
        answer = press(administrator, refused, "override", allow_missing=refused.missing_count)

        assert f"Index run {refused.pk}: “Go on all the same” was started." in text_of(answer)
        assert IndexSyncService().work(run_id=refused.pk).state == "done"
        assert StoredFile.objects.filter(state="missing").count() == refused.missing_count

    def test_of_a_plan_lets_it_be_applied(self, administrator: Client, refused: IndexRun) -> None:
        audited = made(
            RunState.REFUSED,
            mode="audit",
            missing_count=121,
            refusal="121 are missing.",
            counts={"records_missed": 121},
        )

        assert "Its plan can be applied then." in text_of(administrator.get(page_of(audited)))
        answer = press(administrator, audited, "override", allow_missing=121)

        assert f"Index run {audited.pk}: “Go on all the same” was done." in text_of(answer)
        audited = IndexRun.objects.get(pk=audited.pk)
        assert (audited.state, audited.allow_missing) == ("planned", 121)

    def test_is_not_for_operators(self, operator: Client, refused: IndexRun) -> None:
        assert press(operator, refused, "override", allow_missing=refused.missing_count).status_code == 403


class TestUndo:
    def test_brings_the_rows_back(self, administrator: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a")
        run = index("sync")

        assert "2 changes are taken back: the rows become what they were before." in text_of(
            administrator.get(page_of(run))
        )
        press(administrator, run, "undo")
        IndexSyncService().work(run_id=run.pk)

        assert states() == {}

    def test_says_which_run_has_to_be_undone_first(self, administrator: Client, index: Index, tree: Tree) -> None:
        tree.put("7/a")
        first = index("sync")
        tree.put("7/b")
        second = index("sync")

        answer = press(administrator, first, "undo")

        assert f"Run {second.pk} has changed rows after this one. Undo that one first." in text_of(answer)


class TestStop:
    def test_is_not_kept_off_by_a_slice_that_began_meanwhile(self, operator: Client, service: IndexSyncService) -> None:
        run = service.start(mode="audit")
        with locked(IndexRun, run.pk) as record:
            owe_next_slice(record)

        press(operator, run, "stop", generation=run.generation)

        run = IndexRun.objects.get(pk=run.pk)
        assert run.state == "aborted"

    def test_is_not_done_to_what_has_gone_on_to_something_else(
        self, administrator: Client, index: Index, tree: Tree
    ) -> None:
        tree.put("7/a")
        run = index("sync", dry_run=True)
        seen = run.generation
        IndexSyncService().apply(run_id=run.pk)

        answer = press(administrator, run, "stop", generation=seen)

        assert "“Stop” was not done, because the index run had moved on" in text_of(answer)


OLD = datetime(2026, 1, 1, tzinfo=UTC)


class TestWhyAButtonIsAbsent:
    @pytest.mark.parametrize(
        ("said", "button", "why"),
        [
            ({"state": RunState.DONE}, "Apply", "Its plan has been applied already. Start a new run to look again."),
            (
                {"state": RunState.REFUSED},
                "Apply",
                "It is refused. Let it go on all the same first, or start a new run.",
            ),
            ({"state": RunState.REFUSED, "plan_is_whole": False}, "Apply", "There is no plan to go on with."),
            ({"state": RunState.ABORTED, "plan_is_whole": False}, "Apply", "It has no whole plan. Start a new run."),
            ({"state": RunState.APPLYING}, "Apply", "The index run is “Applying”: stop that first, or wait"),
            ({"state": RunState.DONE}, "Go on all the same", "Nothing holds it back."),
            (
                {"state": RunState.REFUSED, "plan_is_whole": False},
                "Go on all the same",
                "There is no plan to go on with. See why it is refused, then look again.",
            ),
            ({"state": RunState.DONE}, "Undo", "It has changed no row."),
            ({"state": RunState.UNDONE}, "Undo", "It has been undone already."),
            ({"state": RunState.PLANNED, "applied_up_to": 1}, "Undo", "Not possible while the index run is “Planned”."),
            ({"forgotten_at": OLD}, "Apply", FORGOTTEN),
            ({"state": RunState.REFUSED, "forgotten_at": OLD}, "Go on all the same", FORGOTTEN),
            ({"state": RunState.DONE, "applied_up_to": 1, "forgotten_at": OLD}, "Undo", FORGOTTEN),
            ({"state": RunState.DONE}, "Stop", "nothing is under way that could be stopped."),
        ],
    )
    def test_is_told(self, administrator: Client, said: dict[str, object], button: str, why: str) -> None:
        text = text_of(administrator.get(page_of(made(**said))))  # type: ignore[arg-type]

        assert why in text.partition(f"{button} is not offered. ")[2]


class TestSameAgain:
    def test_leads_to_the_form_as_it_was_filled_in(self, operator: Client) -> None:
        run = made(RunState.DONE, mode="full", dry_run=True, checksums=True, prefix="7/", user_id=7)

        url = "/admin/storage/indexrun/add/?root=documents&mode=full&part=7&dry_run=on&checksums=on"
        assert f'href="{url.replace("&", "&amp;")}">New run like this</a>' in operator.get(page_of(run)).text

    def test_is_not_for_who_may_only_see_nor_for_what_is_under_way(self, viewer: Client, operator: Client) -> None:
        over, working = made(RunState.DONE), made(RunState.APPLYING)

        assert "New run like this" not in viewer.get(page_of(over)).text
        assert "New run like this" not in operator.get(page_of(working)).text


class TestSize:
    def test_of_a_run_is_nothing_to_its_page(self, administrator: Client) -> None:
        made(RunState.DONE, counts={"files_on_disk": 3})
        run = made(RunState.DONE, applied_up_to=600, counts={"records_created": 600})
        changed(run, *[Action.CREATE] * 600)
        administrator.get(page_of(run))

        with CaptureQueriesContext(connection) as asked:
            administrator.get(page_of(run))

        assert len(asked) < 15
