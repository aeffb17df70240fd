"""Write docs/openapi.json anew, unless that breaks clients and the changelog does not say so: `make openapi`."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.api.breaking import breaks, unnamed

ROOT = Path(__file__).parents[2]
CHECKED_IN = ROOT / "docs" / "openapi.json"
CHANGELOG = ROOT / "CHANGELOG.md"


def written(document: Any) -> str:
    """As it is checked in: a change of one thing is a change of its lines."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def made() -> Any:
    """What the interface is described as now, as who asks for it would read it."""
    import core.interface  # noqa: F401 - it mounts all routers
    from api.frame import interface

    return json.loads(json.dumps(interface.get_openapi_schema()))


def main() -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.test")
    django.setup()
    now = made()
    before = json.loads(CHECKED_IN.read_text()) if CHECKED_IN.exists() else now
    missing = unnamed(breaks(before, now), CHANGELOG.read_text())
    if missing:
        print("These changes break clients. Name each in CHANGELOG.md, below “Unreleased”, by what stands in `…`:")
        print(*(f"- {each}" for each in missing), sep="\n")
        return 1
    CHECKED_IN.write_text(written(now))
    return 0


if __name__ == "__main__":
    sys.exit(main())
