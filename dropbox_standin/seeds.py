"""What a world holds at its beginning: the people of every seed, and the archives of the demo."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropbox_standin import crowds
from dropbox_standin.inputs import NotUnderstood
from dropbox_standin.links import OUTCOMES, Policy
from dropbox_standin.names import split
from dropbox_standin.sights import SIGHTS
from dropbox_standin.tree import Folder, Namespace, Occupied
from dropbox_standin.world import Settings, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

APP_KEY = "standin-app"
APP_SECRET = "standin-secret"  # noqa: S105 - well known on purpose
TEAM, ADMIN = "team", "olivia"

BLM_BASE = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
NMSLO_BASE = "/State Workspace/^Runsheet Workspace/Runsheet Report Archive - New Format"


@dataclass(frozen=True, slots=True)
class DemoLeases:
    """The lease numbers of the demo, named for what a search of them comes to. All are BLM's but the last two tuples'.

    `twice_unavailable` and `rate_limited` are ordinary directories with a report: whoever runs the demo orders the faults.
    `without_zeros` has no directory, but an ordinary one is named like it with its zeros. In `no_break_blank` the report's
    name has a blank that looks like any other and is none.
    """

    report_found: str = "NMNM 0501759"
    no_report: str = "NMLC 0028446A"
    empty: str = "NMNM 110339"
    only_subfolders: str = "NMNM 0014321"
    beyond_first_page: str = "NMNM 0392787"
    link_forbidden: str = "NMLC 0063798"
    twice_unavailable: str = "NMNM 0110348"
    rate_limited: str = "NMNM 0036942"
    not_found: str = "NMNM 9999999"
    without_zeros: str = "NMNM 55142"
    no_break_blank: str = "NMNM 0078221"
    hidden_from_paul: str = "NMNM 0091530"
    ordinary_blm: tuple[str, ...] = (
        "NMNM 0003606",
        "NMNM 0017224",
        "NMNM 0055142",
        "NMNM 0149957",
        "NMNM 0256904A",
        "NMNM 097874",
        "NMNM 108973",
        "NMNM 132068",
        "NMLC 0029005B",
        "NMLC 0058594",
        "NMLC 0061936",
        "NMLC 0070315",
    )
    ordinary_nmslo: tuple[str, ...] = (
        "B0-1234-5",
        "B0-2229-1",
        "B1-0158-14",
        "E0-5014-2",
        "E0-7179-3",
        "K0-6432-1",
        "L0-1077-4",
        "V0-8821-2",
        "VB-0514-1",
        "14537",
        "20466",
        "31209",
    )


DEMO = DemoLeases()
REPORT_NAMES = (
    "Master Documents.pdf",
    "{number} Master Documents.pdf",
    "Updated Master Documents - Final.pdf",
    "master documents report.docx",
)
SUBFOLDERS = ("^Document Archive", "^MI Index", "Runsheets")
SCANS_BEFORE_REPORT = 2_100


class BadSeed(ValueError):
    """The seed is none: the text says what is wrong with it."""


def build(seed: str | dict[str, Any], *, public_url: str, settings: Settings) -> World:
    """A new world from `empty`, `demo`, the path of a JSON file, or such a file's content.

    Raises:
        BadSeed: there is no such seed, or it cannot be read.
    """
    content = _read(seed) if isinstance(seed, str) else seed
    world = World(public_url=public_url, settings=settings)
    _add_people(world)
    _load(world, content)
    world.settle()
    return world


def put_entries(namespace: Namespace, entries: Sequence[str | dict[str, Any]]) -> int:
    """Put folders (paths that end in a slash) and files into a tree; returns how many.

    Raises:
        BadSeed: a path has no leading slash, or something stands in its way.
    """
    for entry in entries:
        path, content = (entry, None) if isinstance(entry, str) else _file_entry(entry)
        if not path.startswith("/") or not split(path):
            raise BadSeed(f"a path must begin with a slash and name something: {path!r}")
        _put(namespace, path, content)
    return len(entries)


def _put(namespace: Namespace, path: str, content: bytes | None) -> None:
    try:
        if path.endswith("/"):
            namespace.put_folder(split(path))
        else:
            namespace.put_file(split(path), content=content if content is not None else f"{path}\n".encode())
    except Occupied as occupied:
        raise BadSeed(f"{path!r} cannot be put: {occupied.node.name!r} is in the way") from None


def _file_entry(entry: dict[str, Any]) -> tuple[str, bytes | None]:
    path, content = entry.get("path"), entry.get("content")
    if not isinstance(path, str) or not isinstance(content, str | None):
        raise BadSeed(f"an entry is a path or an object with path and content, both text: {entry!r}")
    return path, content.encode() if content is not None else None


def policy(given: dict[str, Any]) -> Policy:
    """A link policy from its JSON.

    Raises:
        BadSeed: the outcome is not one of those known.
    """
    if given.get("outcome") not in OUTCOMES:
        raise BadSeed(f"a link policy's outcome is one of {', '.join(OUTCOMES)}, not {given.get('outcome')!r}")
    return Policy(given["outcome"], given.get("account"), given.get("path"))


def give_sight(world: World, given: dict[str, Any]) -> None:
    """How much an account may see of a folder of its team, from its JSON.

    Raises:
        BadSeed: there is no such account, folder or sight.
    """
    account, sight = world.accounts.get(given.get("account", "")), given.get("sight")
    if account is None:
        raise BadSeed(f"a sight is given to one of {', '.join(world.accounts)}, not {given.get('account')!r}")
    if sight not in SIGHTS:
        raise BadSeed(f"a sight is one of {', '.join(SIGHTS)}, not {sight!r}")
    folder = account.root.find(split(str(given.get("path"))))
    if not isinstance(folder, Folder) or folder.parent is None:
        raise BadSeed(f"a sight is of a folder; {given.get('path')!r} is none")
    account.sights.give(account.root, folder, sight)


def _add_people(world: World) -> None:
    app = world.add_app(key=APP_KEY, secret=APP_SECRET)
    team = world.add_team(key=TEAM, name="Standin Land Services")
    people = (
        ("olivia", "Olivia Operator", team, "A member of the team: sees all archives. Take this one if in doubt."),
        (
            "paul",
            "Paul Partner",
            team,
            "Another member, who sees all but one archive of the demo: to change from one account to another.",
        ),
        ("nora", "Nora NoLinks", team, "A member who may not make share links: archives are found without a link."),
        ("ivan", "Ivan Individual", None, "Not of the team: the folder of the archives is missing in this Dropbox."),
    )
    for key, name, membership, good_for in people:
        account = world.add_account(key=key, display_name=name, email=f"{key}@example.com", team=membership)
        account.basic, account.admin = membership is None, key == ADMIN
        account.good_for = good_for
        world.add_well_known_grants(account=account, app=app)
    world.links.policies.append(Policy("access_denied", account="nora"))


def _read(seed: str) -> dict[str, Any]:
    if seed == "empty":
        return {}
    if seed == "demo":
        return _demo()
    try:
        content = json.loads(Path(seed).read_text())
    except OSError as error:
        raise BadSeed(
            f"seed {seed!r} is neither demo nor empty nor a file that can be read ({error.strerror})"
        ) from None
    except ValueError:
        raise BadSeed(f"seed file {seed!r} is not JSON") from None
    if not isinstance(content, dict):
        raise BadSeed(f"seed file {seed!r} must hold one JSON object with team, home, policies, sights and crowds")
    return content


def _load(world: World, content: dict[str, Any]) -> None:
    if unknown := content.keys() - {"team", "home", "policies", "sights", "crowds"}:
        raise BadSeed(f"a seed has team, home, policies, sights and crowds; unknown: {', '.join(sorted(unknown))}")
    put_entries(world.teams[TEAM].space, content.get("team", []))
    for key, entries in content.get("home", {}).items():
        if key not in world.accounts:
            raise BadSeed(f"a seed's home is of {', '.join(world.accounts)}; unknown: {key}")
        put_entries(world.accounts[key].home, entries)
    for given in content.get("crowds", []):
        _put_crowd(world.teams[TEAM].space, given)
    world.links.policies.extend(policy(given) for given in content.get("policies", []))
    for given in content.get("sights", []):
        give_sight(world, given)


def _put_crowd(namespace: Namespace, given: Any) -> None:
    try:
        crowds.put(namespace, crowds.read(given))
    except NotUnderstood as error:
        raise BadSeed(str(error)) from None


def _demo() -> dict[str, Any]:
    return {
        "team": [*_special(), *_ordinary(), *_beside()],
        "home": {"olivia": ["/Notes/to do.txt"], "ivan": ["/Taxes 2025.pdf"]},
        "policies": [{"outcome": "access_denied", "path": f"{BLM_BASE}/{DEMO.link_forbidden}"}],
        "sights": [{"account": "paul", "path": f"{BLM_BASE}/{DEMO.hidden_from_paul}", "sight": "none"}],
    }


def _special() -> Iterator[str]:
    for at, number in enumerate((DEMO.report_found, DEMO.link_forbidden, DEMO.twice_unavailable, DEMO.rate_limited)):
        yield from _archive(BLM_BASE, number, REPORT_NAMES[(at + 1) % len(REPORT_NAMES)])
    yield from _archive(BLM_BASE, DEMO.no_report, "Runsheet 2019.pdf")
    yield from _archive(BLM_BASE, DEMO.no_break_blank, "Master\N{NO-BREAK SPACE}Documents.pdf")
    yield from _archive(BLM_BASE, DEMO.hidden_from_paul, "Master Documents.pdf")
    yield f"{BLM_BASE}/{DEMO.empty}/"
    yield from (f"{BLM_BASE}/{DEMO.only_subfolders}/{name}/" for name in (*SUBFOLDERS, "Master Documents"))
    crowded = f"{BLM_BASE}/{DEMO.beyond_first_page}"
    yield from (f"{crowded}/scan {number:04}.tif" for number in range(1, SCANS_BEFORE_REPORT + 1))
    yield f"{crowded}/zz Master Documents.pdf"


def _ordinary() -> Iterator[str]:
    """Every third ordinary archive has no report."""
    for base, numbers in ((BLM_BASE, DEMO.ordinary_blm), (NMSLO_BASE, DEMO.ordinary_nmslo)):
        for at, number in enumerate(numbers):
            report = REPORT_NAMES[at % len(REPORT_NAMES)] if at % 3 else "Correspondence.pdf"
            yield from _archive(base, number, report)


def _beside() -> Iterator[str]:
    """The folders of the documents and of the miscellaneous index, with something for some of the ordinary archives."""
    for base, numbers in ((BLM_BASE, DEMO.ordinary_blm), (NMSLO_BASE, DEMO.ordinary_nmslo)):
        workspace = base.rpartition("/")[0]
        documents, index = (f"{workspace}/{name}" for name in SUBFOLDERS[:2])
        yield f"{index}/"
        yield from (f"{documents}/{number}/{number} Lease.pdf" for number in numbers[:3])


def _archive(base: str, number: str, report: str) -> Iterator[str]:
    yield from (f"{base}/{number}/{name}/" for name in SUBFOLDERS)
    yield f"{base}/{number}/^Document Archive/{number} Lease.pdf"
    yield f"{base}/{number}/Runsheets/{number} Runsheet.xlsx"
    yield f"{base}/{number}/{report.format(number=number)}"
