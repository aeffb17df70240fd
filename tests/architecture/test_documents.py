"""What is written beside the code is true as far as that can be told."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.architecture.floors import HOUSE
from tests.architecture.test_repository import ROOT, tracked

DOCUMENTS = tracked("*.md")
# A change log tells of what was, under the names that it had.
GUIDES = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
HOOKS = ROOT / ".pre-commit-config.yaml"
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
# A path in backticks; `…` and `*` stand for what differs.
PATH = re.compile(r"`((?:{}|tests|docs|deploy|bench|dropbox_standin)/[\w/.-]+)(?:::[\w:]+)?`".format("|".join(HOUSE)))
STATUS = re.compile(r"Status: (proposed|accepted|superseded by \[\d+\]\(\S+\))(; .+)?")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def hooks() -> list[dict[str, Any]]:
    return [hook for repo in YAML(typ="safe").load(HOOKS)["repos"] for hook in repo["hooks"]]


def makes() -> str:
    return (ROOT / "Makefile").read_text()


class TestDocuments:
    @pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
    def test_link_to_what_there_is(self, document: Path) -> None:
        links = LINK.findall(document.read_text())

        assert [link for link in links if not (document.parent / link).exists()] == []

    @pytest.mark.parametrize("document", GUIDES, ids=name_of)
    def test_name_files_that_there_are(self, document: Path) -> None:
        named = PATH.findall(document.read_text())

        assert [path for path in named if not (ROOT / path).exists()] == []

    def test_name_some_files(self) -> None:
        assert any(PATH.findall(document.read_text()) for document in GUIDES)

    @pytest.mark.parametrize("document", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=name_of)
    def test_name_commands_that_there_are(self, document: Path) -> None:
        named = re.findall(r"(?:`|\$ )make ([a-z-]+)", document.read_text())

        assert named
        assert [target for target in named if f"\n{target}:" not in makes()] == []

    def test_of_a_newcomer_is_linked_by_the_first_page(self) -> None:
        assert "CONTRIBUTING.md" in LINK.findall((ROOT / "README.md").read_text())


class TestDecisions:
    @pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
    def test_say_where_they_stand(self, decision: Path) -> None:
        title, _, status, *_ = decision.read_text().splitlines()

        assert title.startswith(f"# {int(decision.name[:4])}. ")
        assert STATUS.fullmatch(status)

    def test_are_numbered_without_gap(self) -> None:
        assert [int(decision.name[:4]) for decision in DECISIONS] == list(range(1, len(DECISIONS) + 1))


class TestHooks:
    def test_fetch_nothing(self) -> None:
        assert {repo["repo"] for repo in YAML(typ="safe").load(HOOKS)["repos"]} == {"local"}
        assert {hook["language"] for hook in hooks()} == {"system"}
        assert not any("additional_dependencies" in hook for hook in hooks())

    @pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
    def test_are_commands_that_there_are(self, hook: dict[str, Any]) -> None:
        program = ROOT / shlex.split(hook["entry"])[0]

        assert os.access(program, os.X_OK)

    def test_are_those_of_make_lint(self) -> None:
        lint = makes().partition("\nlint:")[2].partition("\nfmt:")[0]  # and its parts, which stand below it

        assert {shlex.split(hook["entry"])[0] for hook in hooks()} == set(re.findall(r"\.venv/bin/[\w-]+", lint))
