"""`manage.py doctor`: what is wrong, and what to do about it."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core.ops.doctor import examine
from core.ops.doctor.finding import Finding, Mark

SIGNS = {Mark.OK: "✓", Mark.NOTE: "!", Mark.WRONG: "✗"}


class Command(BaseCommand):
    help = "Say what is wrong with this installation and what to do about it; exit code 1 if something is."
    requires_system_checks = ()  # the doctor makes them itself, and goes on when they fail

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, *, json: bool, **options: Any) -> None:
        found = examine()
        self.stdout.write(_document(found) if json else _page(found))
        self.stdout.flush()
        if any(finding.mark == Mark.WRONG for _, finding in found):
            sys.exit(1)


def _document(found: list[tuple[str, Finding]]) -> str:
    rows = [
        {"part": part, "mark": finding.mark, "seen": finding.seen, "advice": finding.advice} for part, finding in found
    ]
    well = all(finding.mark != Mark.WRONG for _, finding in found)
    return json.dumps({"well": well, "findings": rows}, ensure_ascii=False, indent=2)


def _page(found: list[tuple[str, Finding]]) -> str:
    width = max(len(part) for part, _ in found)
    lines = []
    for part, finding in found:
        lines.append(f"{SIGNS[finding.mark]} {part:<{width}}  {finding.seen}")
        if finding.advice:
            lines.append(f"  {'':<{width}}  → {finding.advice}")
    wrong = sum(finding.mark == Mark.WRONG for _, finding in found)
    lines += ["", "All is well." if not wrong else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong."]
    return "\n".join(lines)
