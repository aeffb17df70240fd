"""The pictures say what the code says."""

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command
from django.db import models
from django_fsm import GET_STATE, RETURN_VALUE, transition

from core.local.servers import ROOT
from documents.models import Document
from leases.models import Lease
from statemachine.diagram import UnknownState, dot, markdown, mermaid, picture_of, svg
from statemachine.diagram.layout import Box, Layout, Point, arrange
from statemachine.models import StateMachine, state_field
from tests.toy.models import Kettle

type Piece = tuple[Point, Point]

SVG = "{http://www.w3.org/2000/svg}"


class Lamp(StateMachine):
    """Every kind of transition that django-fsm knows."""

    class State(models.TextChoices):
        OFF = "off"
        ON = "on"
        LOST = "lost"

    working_states = frozenset()
    start_transition = "press"
    state = state_field(State, initial=State.OFF)

    class Meta:
        app_label = "lamps"
        managed = False

    @transition(field=state, source="*", target=RETURN_VALUE(State.ON, State.OFF))
    def press(self) -> str:
        """Switch.

        A second paragraph is not for the table.
        """
        return "on"

    @transition(field=state, source="+", target=State.OFF)
    def pull(self) -> None: ...

    @transition(field=state, source=State.ON, target=None, permission="lamps.dim")
    def dim(self) -> None: ...

    @transition(field=state, source=State.OFF, target=GET_STATE(lambda _: "on", states=[State.ON]))
    def remember(self) -> None: ...


class TestPictureOf:
    def test_has_every_state_and_knows_where_work_is_owed(self) -> None:
        picture = picture_of(Lease)

        assert [node.name for node in picture.nodes if node.is_working] == ["searching", "detecting"]
        assert len(picture.nodes) == 7
        assert picture.initial == "pending"

    def test_says_what_the_reaction_of_a_working_state_does(self) -> None:
        work = {node.name: node.work for node in picture_of(Lease).nodes}

        assert work["searching"] == "Look for the directories of the leases and record what was found."
        assert work["found"] == ""

    def test_tells_the_operators_transitions_from_the_workers(self) -> None:
        taken_by = {move.name: (move.button, move.taken_by) for move in picture_of(Kettle).moves}

        assert taken_by == {
            "switch_on": ("Switch on", "operator, reconciler"),
            "boiled": ("", "worker"),
            "steep": ("", "worker"),
            "poured": ("", "worker"),
            "fail": ("", "worker, reconciler"),
            "cancel": ("Cancel", "operator"),
        }

    def test_resolves_every_way_to_write_a_source_and_a_target(self) -> None:
        moves = {(move.name, move.target): move.sources for move in picture_of(Lamp).moves}

        assert moves == {
            ("press", "on"): ("off", "on", "lost"),
            ("press", "off"): ("off", "on", "lost"),
            ("pull", "off"): ("on", "lost"),
            ("dim", "on"): ("on",),
            ("remember", "on"): ("off",),
        }

    def test_takes_the_first_paragraph_of_a_docstring_as_the_meaning(self) -> None:
        assert picture_of(Lamp).moves[0].meaning == "Switch."

    def test_refuses_to_mark_a_state_that_does_not_exist(self) -> None:
        with pytest.raises(UnknownState, match=r"toy.Kettle has no state “boiling”. Its states are cold, heating"):
            picture_of(Kettle, mark="boiling")


class TestTheText:
    def test_mermaid_has_one_line_for_each_source_and_thickens_working_states(self) -> None:
        drawn = mermaid(picture_of(Kettle, mark="ready"))

        assert "    [*] --> cold\n" in drawn
        assert "    heating --> broken : fail (worker)\n    steeping --> broken : fail (worker)\n" in drawn
        assert "    class heating working\n" in drawn
        assert "    class ready marked\n" in drawn

    def test_dot_draws_the_workers_transitions_dashed(self) -> None:
        drawn = dot(picture_of(Kettle, mark="ready"))

        assert '"cold" -> "heating" [label="switch_on"];' in drawn
        assert '"heating" -> "ready" [label="boiled", style=dashed];' in drawn
        assert '"ready" [label="Ready", style="rounded,filled", fillcolor="#fde68a"];' in drawn

    def test_markdown_lists_a_transition_without_a_docstring_too(self) -> None:
        drawn = markdown(picture_of(Kettle))

        assert "| `boiled` | — | `heating` | `ready` | worker | — |\n" in drawn

    @pytest.mark.parametrize(("model", "page"), [(Lease, "states.md"), (Document, "document-states.md")])
    def test_the_committed_page_is_what_the_code_draws(self, model: type[StateMachine], page: str) -> None:
        committed = (ROOT / "docs" / page).read_text()

        assert committed == markdown(picture_of(model)), (
            f"run: manage.py state_diagram {model._meta.label} --format markdown > docs/{page}"
        )


class TestTheDrawing:
    @pytest.mark.parametrize("model", [Lease, Kettle, Lamp])
    def test_no_two_boxes_overlap(self, model: type[StateMachine]) -> None:
        layout = arrange(picture_of(model))

        assert not [pair for pair in combinations(layout.boxes, 2) if _boxes_touch(*pair)]

    @pytest.mark.parametrize("model", [Lease, Kettle, Lamp])
    def test_no_line_runs_through_a_box(self, model: type[StateMachine]) -> None:
        layout = arrange(picture_of(model))

        assert not [
            (box.node.name, piece) for _, piece in _pieces(layout) for box in layout.boxes if _inside(box, piece)
        ]

    @pytest.mark.parametrize("model", [Lease, Kettle, Lamp])
    def test_no_two_transitions_run_on_top_of_one_another(self, model: type[StateMachine]) -> None:
        layout = arrange(picture_of(model))

        assert not [
            (one, other)
            for (one, piece), (other, second) in combinations(_pieces(layout), 2)
            if one != other and _run_together(piece, second)
        ]

    def test_everything_lies_on_the_canvas(self) -> None:
        layout = arrange(picture_of(Lease))

        points = [point for _, piece in _pieces(layout) for point in piece]
        assert all(0 < x < layout.width and 0 < y < layout.height for x, y in points)

    def test_tells_a_reader_who_cannot_see_it(self) -> None:
        drawn = ET.fromstring(svg(picture_of(Lease, mark="found")))

        assert drawn.get("role") == "img"
        assert drawn.findtext(f"{SVG}title") == "The states of a lease"
        description = drawn.findtext(f"{SVG}desc", default="")
        assert (
            "Starts as Pending. Now: Directory found. "
            "Search directory: Pending, Directory found, Directory not found, Done, Failed to Searching, by operator"
            in description
        )

    def test_shows_every_state_and_every_transition(self) -> None:
        picture = picture_of(Lease)

        shown = {text.text for text in ET.fromstring(svg(picture)).iter(f"{SVG}text")}

        assert {node.label for node in picture.nodes} | {move.caption for move in picture.moves} <= shown


class TestTheCommand:
    def test_draws_the_machine_that_was_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("state_diagram", "leases.lease", format="svg", mark="failed")

        assert capsys.readouterr().out == svg(picture_of(Lease, mark="failed"))

    def test_asks_which_one_when_there_are_several(self) -> None:
        with pytest.raises(
            CommandError,
            match=r"^Say which machine to draw: console.FailureNotice, documents.Document, leases.Lease, storage.IndexRun, toy.Kettle\.$",
        ):
            call_command("state_diagram")

    def test_draws_the_only_one_unasked(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("django.apps.apps.get_models", lambda: [Lease])

        call_command("state_diagram")

        assert capsys.readouterr().out == mermaid(picture_of(Lease))

    def test_refuses_an_unknown_machine_in_one_sentence(self) -> None:
        with pytest.raises(
            CommandError,
            match=r"^There is no machine “auth.User”. There are console.FailureNotice, documents.Document, leases.Lease, storage.IndexRun, toy.Kettle\.$",
        ):
            call_command("state_diagram", "auth.User")

    def test_refuses_an_unknown_state_in_one_sentence(self) -> None:
        with pytest.raises(CommandError, match=r"^leases.Lease has no state “lost”. Its states are pending"):
            call_command("state_diagram", "leases.Lease", mark="lost")


def _pieces(layout: Layout) -> list[tuple[str, Piece]]:
    """Every straight piece of every line, with the name of what it belongs to."""
    return [
        (f"{line.move.name} to {line.move.target}", (start, end))
        for line in layout.lines
        for path in (*line.paths, line.arrow)
        for start, end in pairwise(path)
    ]


def _boxes_touch(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def _inside(box: Box, piece: Piece) -> bool:
    (x1, x2), (y1, y2) = sorted((piece[0][0], piece[1][0])), sorted((piece[0][1], piece[1][1]))
    return x1 < box.x + box.width and x2 > box.x and y1 < box.y + box.height and y2 > box.y


def _run_together(one: Piece, other: Piece) -> bool:
    """Whether two pieces share more than a point; crossing is no offence."""
    for along, across in ((0, 1), (1, 0)):
        level = [piece for piece in (one, other) if piece[0][across] == piece[1][across]]
        if len(level) == 2 and abs(one[0][across] - other[0][across]) < 1:
            first, second = (sorted((piece[0][along], piece[1][along])) for piece in level)
            if min(first[1], second[1]) - max(first[0], second[0]) > 1:
                return True
    return False
