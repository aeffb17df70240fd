"""What `manage.py rebuild_index` prints, and its exit codes."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from redis import Redis

from statemachine.models import TransitionLog
from storage.models import IndexRun
from storage.services import IndexSyncService
from tests.storage.conftest import states
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


def rebuild(*given: str, **said: Any) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    out, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_index", *given, stdout=out, stderr=errors, **said)
    return int(ended.value.code or 0), out.getvalue(), errors.getvalue()


class TestCommand:
    def test_audits_by_itself_and_says_that_there_are_differences(self, tree: Tree) -> None:
        tree.put("7/a")

        code, out, _ = rebuild()

        assert code == 1
        assert "Nothing was changed: this is what would be done. To do it: --apply " in out
        assert states() == {}

    def test_carries_out_what_was_looked_at_and_takes_it_back(self, tree: Tree) -> None:
        tree.put("7/a")
        rebuild()
        run = str(IndexRun.objects.get().pk)

        code, out, _ = rebuild("--apply", run)

        assert (code, len(states())) == (1, 2)
        assert f"it can be undone: --undo {run}" in out

        code, out, _ = rebuild("--undo", run)

        assert (code, states()) == (1, {})
        assert f"Run {run} is undone" in out

    def test_says_why_an_earlier_run_cannot_be_taken_back(self, tree: Tree) -> None:
        tree.put("7/a")
        rebuild("--mode", "sync")
        rebuild("--mode", "sync", "--dry-run")
        tree.put("7/b")
        rebuild("--mode", "sync")

        code, _, errors = rebuild("--undo", str(IndexRun.objects.earliest("pk").pk))

        assert code == 3
        assert "Undo that one first." in errors
        assert rebuild("--undo", "0")[0] == 3

    def test_syncs_and_is_in_sync_then(self, tree: Tree) -> None:
        tree.put("7/a")

        first, second = rebuild("--mode", "sync"), rebuild("--mode", "sync")

        assert (first[0], second[0]) == (1, 0)
        assert "created" in first[1]
        assert "In sync." in second[1]

    def test_is_not_in_sync_where_nothing_can_be_said(self, tree: Tree) -> None:
        tree.put("7/a", "7/b")
        rebuild("--mode", "sync")
        tree.remove("7/a")
        tree.link("7/a", "b")
        rebuild("--mode", "sync")

        code, told, _ = rebuild()

        assert code == 1
        assert "Nothing to do. About 1 row nothing can be said" in told

    def test_stands_in_the_history_as_what_it_is(self, tree: Tree) -> None:
        tree.put("7/a")
        rebuild("--mode", "sync")

        assert set(TransitionLog.objects.exclude(actor_kind="worker").values_list("actor_kind", flat=True)) == {
            "terminal"
        }

    def test_says_all_as_json(self, tree: Tree) -> None:
        tree.put("7/a")

        code, out, _ = rebuild("--mode", "sync", "--format", "json")
        said = json.loads(out)

        assert code == 1
        assert (said["state"], said["in_sync"], said["stats"]["records_created"]) == ("done", False, 2)

    def test_says_each_change_as_a_line_of_json(self, tree: Tree) -> None:
        tree.put("7/a")

        _, out, _ = rebuild("--dry-run", "--mode", "sync", "--format", "ndjson")
        *changes, said = map(json.loads, out.splitlines())

        assert [(each["action"], each["key"]) for each in changes] == [("create", "7/"), ("create", "7/a")]
        assert said["dry_run"] is True

    def test_tells_each_change_if_it_is_to_say_more(self, tree: Tree) -> None:
        tree.put("7/a\x1b[31m")
        rebuild("--mode", "sync")
        tree.move("7/a\x1b[31m", "7/b\x1b[31m")

        _, out, _ = rebuild("--mode", "sync", "-v", "2")

        assert "rename 7/b" in out
        assert "\x1b[31m" not in out

    def test_tells_what_is_odd(self, tree: Tree) -> None:
        for number in range(25):
            tree.put("7/a")
            tree.link(f"7/link {number:02}", "nowhere")

        _, out, _ = rebuild("--mode", "sync")

        assert "7/link 00: It is a link to “nowhere”, where nothing is." in out
        assert "… and 5 more; -v 2 shows all." in out

    def test_ends_with_2_where_something_could_not_be_read(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        tree.put("7/a/b/c")
        monkeypatch.setattr("storage.index.walking.DEEPEST", 1)

        assert rebuild("--mode", "sync")[0] == 2

    def test_ends_with_3_where_the_root_is_not_there(self, tree: Tree) -> None:
        tree.path.rmdir()

        code, out, _ = rebuild("--mode", "sync")

        assert code == 3
        assert "Refused: “" in out

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            (["--mode", "full"], "“full” deletes rows."),
            (["--mode", "scrub"], "There is no mode “scrub”."),
            (["--user-id", "4711"], "There is no user 4711."),
            (["--root", "attic"], "There is no root “attic”."),
        ],
    )
    def test_ends_with_3_where_it_is_refused(self, tree: Tree, given: list[str], sentence: str) -> None:
        code, out, errors = rebuild(*given)

        assert (code, out) == (3, "")
        assert errors.startswith(sentence)

    def test_says_which_run_is_under_way(self, tree: Tree) -> None:
        other = IndexSyncService().start(mode="audit", rings=False)

        code, _, errors = rebuild()

        assert code == 3
        assert errors.startswith(f"Run {other.pk} of the root “documents” is under way")

    def test_deletes_by_force(self, tree: Tree) -> None:
        tree.put("7/a", "8/b")
        rebuild("--mode", "sync")
        tree.remove("7", "8/b")

        code, _, _ = rebuild("--mode", "full", "--force", "--user-id", "7", "--grace-days", "0", "--allow-missing", "5")

        assert code == 1
        assert sorted(states()) == ["8/", "8/b"]

    @pytest.mark.parametrize("given", ["-1", "many", "\u0667"])
    def test_wants_numbers(self, tree: Tree, given: str) -> None:
        with pytest.raises(CommandError, match="must be a whole number"):
            call_command("rebuild_index", f"--grace-days={given}")

    @pytest.mark.parametrize(("option", "most"), [("grace-days", "36,500"), ("allow-missing", "2,147,483,647")])
    def test_wants_numbers_that_make_sense(self, tree: Tree, option: str, most: str) -> None:
        with pytest.raises(CommandError, match=f"must be at most {most}"):
            call_command("rebuild_index", f"--{option}={10**12}")

    def test_ends_with_2_where_it_fails(self, tree: Tree, settings: Any) -> None:
        settings.STORAGE_ROOTS["documents"]["kind"] = "tape"

        code, out, _ = rebuild()

        assert code == 2
        assert "Failed: Nothing here can list a root of the kind “tape”." in out

    def test_ends_with_2_where_somebody_stops_it(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        work = IndexSyncService.work

        def stopped(self: IndexSyncService, *, run_id: int, **said: Any) -> IndexRun:
            self.abort(run_id=run_id)
            return work(self, run_id=run_id, **said)

        monkeypatch.setattr(IndexSyncService, "work", stopped)

        code, out, _ = rebuild()

        assert code == 2
        assert "Stopped by somebody else." in out

    def test_says_what_ails_the_database(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*_: Any, **__: Any) -> None:
            raise OperationalError("connection refused")

        monkeypatch.setattr(IndexSyncService, "start", away)

        with pytest.raises(CommandError, match="The database does not answer") as error:
            call_command("rebuild_index")
        assert error.value.returncode == 2

    def test_that_is_interrupted_stops_its_run(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(IndexSyncService, "work", interrupted)

        code, _, errors = rebuild()

        assert code == 130
        assert errors.startswith("Stopped. What run ")
        assert IndexRun.objects.get().state == "aborted"

    def test_shows_where_it_is_to_who_sits_in_front_of_it(self, tree: Tree) -> None:
        class Terminal(StringIO):
            def isatty(self) -> bool:
                return True

        tree.put("7/a")
        screen = Terminal()
        with pytest.raises(SystemExit):
            call_command("rebuild_index", mode="sync", stdout=StringIO(), stderr=screen)

        assert "Applying" in screen.getvalue()


def test_it_needs_no_worker_and_no_redis(tree: Tree, settings: Any, redis: Redis) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    tree.put("7/a")

    assert rebuild("--mode", "sync")[0] == 1
    assert sorted(states()) == ["7/", "7/a"]
