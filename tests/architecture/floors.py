"""The floors of the house, what belongs to whom, and who names what: all read from the project itself.

Import-linter sees imports. It does not see a name in quotation marks: of an address, a template, a library of template
tags, a static file, a permission or a setting.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite
from django.template.utils import get_app_template_dirs
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parents[2]
# From the ground up. Whoever stands on one floor may name what lies on it and below.
FLOORS = (
    ("core.base",),
    ("core.formats", "core.local", "core.models", "core.ops"),
    ("statemachine",),
    ("core.http", "core.templates"),
    ("console",),
    ("spreadsheets", "api"),
    ("cloud", "storage"),
    ("leases",),
    ("documents",),
    ("discovery",),
    # Addresses, settings, commands, the site itself, and who looks into every part: the place that names everybody.
    ("core", "core.ops.doctor", "core.templates.core.system"),
)
ROOMS = sorted((room for floor in FLOORS for room in floor), key=len, reverse=True)
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}
ROOT_PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
HOUSE = tuple(package for package in ROOT_PACKAGES if package != "dropbox_standin")
# Which settings are whose is said by how they begin; each other one may be read by everybody.
SETTINGS = {"DISCOVERY_": "discovery", "DOCUMENTS_": "storage", "DROPBOX_": "cloud"}
# A word that is no address of Django's as well, where it stands anywhere but at one of these.
ADDRESS_ARGUMENTS = ("address", "parts", "pattern_name", "view_name", "where")
ADDRESS_CALLS = ("redirect", "reverse", "reverse_lazy", "resolve_url")
TAG = re.compile(r"\{%\s*(url|extends|include|static|load)\s+(.*?)\s*%\}", re.DOTALL)
QUOTED = re.compile(r"""["']([^"']+)["']""")
PERMISSION = re.compile(r"\bperms\.(\w+\.\w+)")


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A name, where it stands.

    Attributes:
        place: the file, from the root.
        kind: "address", "template", "tags", "static", "permission" or "setting".
    """

    place: str
    kind: str
    name: str


def room_of(dotted: str) -> str:
    """The room in which a module stands, or a file that is named like one.

    Raises:
        LookupError: no floor has a room for it; `FLOORS` has to say where it stands.
    """
    found = next((room for room in ROOMS if f"{dotted}.".startswith(f"{room}.")), None)
    if found is None:
        raise LookupError(f"{dotted} stands on no floor")
    return found


def floor_of(place: str) -> int:
    """The floor of a file of the project."""
    return FLOOR_OF[room_of(_dotted(place))]


def _dotted(place: str) -> str:
    return ".".join(Path(place).with_suffix("").parts)


def files() -> Iterator[Path]:
    """Everything that can name something."""
    for app in HOUSE:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts:
                yield path


@cache
def owners() -> dict[str, dict[str, str]]:
    """Which room each name of each kind belongs to; what is Django's, or another package's too, is nobody's."""
    return {
        "address": dict(_addresses()),
        "template": _by_folder("templates", _is_ours_alone),
        "tags": {Path(name).stem: room for name, room in _by_folder("templatetags").items() if name != "__init__.py"},
        "static": _by_folder("static"),
        "permission": dict(_permissions()),
        "setting": dict(_settings()),
    }


@cache
def offences() -> frozenset[Named]:
    """Every name of a higher floor that stands on a lower one."""
    return frozenset(
        named
        for path in files()
        for named in names_in(path)
        if FLOOR_OF[owners()[named.kind][named.name]] > floor_of(named.place)
    )


def names_in(path: Path) -> Iterator[Named]:
    """What a file names of what belongs to somebody in the house."""
    place, text = path.relative_to(ROOT).as_posix(), path.read_text()
    found = names_in_code(text) if path.suffix == ".py" else names_in_template(text)
    for kind, name in found:
        if name in owners()[kind]:
            yield Named(place, kind, name)


def names_in_code(text: str) -> Iterator[tuple[str, str]]:
    nodes = list(ast.walk(ast.parse(text)))
    addresses = {id(each) for node in nodes for each in _arguments_of_address(node)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _meanings(node.value, is_address=id(node) in addresses)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings":
            yield "setting", node.attr


def names_in_template(text: str) -> Iterator[tuple[str, str]]:
    kinds = {"url": "address", "extends": "template", "include": "template", "static": "static"}
    for tag, arguments in TAG.findall(text):
        if tag == "load":
            yield from (("tags", word) for word in arguments.partition(" from ")[2].split() or arguments.split())
        elif quoted := QUOTED.match(arguments):
            yield kinds[tag], quoted[1].removeprefix("admin:") if tag == "url" else quoted[1]
    yield from (("permission", name) for name in PERMISSION.findall(text))


def _meanings(value: str, *, is_address: bool) -> Iterator[tuple[str, str]]:
    if is_address or value.startswith("admin:") or "_" in value:
        yield "address", value.removeprefix("admin:")
    for kind in ("template", "static", "permission", "setting"):
        yield kind, value


def _arguments_of_address(node: ast.AST) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Call):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in ADDRESS_CALLS:
        yield from node.args[:1]
    yield from (each.value for each in node.keywords if each.arg in ADDRESS_ARGUMENTS)


def _addresses() -> Iterator[tuple[str, str]]:
    labels = {config.label for config in apps.get_app_configs()}
    of_every_site = {pattern.name for pattern in AdminSite().get_urls() if isinstance(pattern, URLPattern)}
    for pattern in _patterns(get_resolver()):
        name = pattern.name or ""
        label = next((label for label in labels if name.startswith(f"{label}_")), None)
        owner = label or _view(pattern.callback).__module__
        if name and name not in of_every_site and owner.partition(".")[0] in HOUSE:
            yield name, room_of(owner)


def _view(callback: Any) -> Callable[..., Any]:
    """The function itself, without what guards it."""
    while hasattr(callback, "__wrapped__"):
        callback = callback.__wrapped__
    view: Callable[..., Any] = callback
    return view


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _patterns(each)
        else:
            yield each


def _permissions() -> Iterator[tuple[str, str]]:
    for model in apps.get_models():
        if model._meta.app_label in HOUSE:
            usual = (f"{action}_{model._meta.model_name}" for action in ("add", "change", "delete", "view"))
            for codename in (*usual, *(codename for codename, _ in model._meta.permissions)):
                yield f"{model._meta.app_label}.{codename}", model._meta.app_label


def _settings() -> Iterator[tuple[str, str]]:
    for name in dir(settings):
        for start, room in SETTINGS.items():
            if name.startswith(start):
                yield name, room


def _by_folder(folder: str, is_ours: Callable[[str], bool] = lambda _: True) -> dict[str, str]:
    """The lowest room that has a file of each name: who is above may add to it under the same name."""
    found: dict[str, str] = {}
    for app in HOUSE:
        top = ROOT / app / folder
        for path in top.rglob("*.*"):
            name, room = path.relative_to(top).as_posix(), room_of(_dotted(path.relative_to(ROOT).as_posix()))
            if path.suffix != ".pyc" and is_ours(name):
                found[name] = min(room, found.get(name, room), key=FLOOR_OF.__getitem__)
    return found


def _is_ours_alone(template: str) -> bool:
    """Whether no package brings a template of that name, which ours only adds to."""
    others = (Path(folder) for folder in get_app_template_dirs("templates"))
    return not any((folder / template).exists() for folder in others if folder.parent.name not in HOUSE)
