"""`files/search_v2`: what is found by its words, as far as the index has come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropbox_standin import args
from dropbox_standin.call import Call, Route
from dropbox_standin.matching import CATEGORIES, Query, words_of
from dropbox_standin.names import fold_all
from dropbox_standin.tree import File, Folder
from dropbox_standin.wire import Answer, UnionError, answer_json, conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropbox_standin.names import Key, Names
    from dropbox_standin.tokens import Tokens
    from dropbox_standin.tree import Namespace, Node
    from dropbox_standin.views import View

MOST_MATCHES = 10_000  # of one search, however many pages are asked for

type Indexed = frozenset[tuple[str, Names]]
# What was found: what is there, or how the path of what was there is spelled; and by what it was found.
type Match = tuple[Namespace, Node | Names, str]


@dataclass(frozen=True, slots=True)
class Results:
    """What a search has found, for all of its pages."""

    view: View
    query: Query
    found: tuple[Match, ...]
    limit: int
    highlights: bool


@dataclass
class Searches:
    """The index and the cursors of searches.

    Attributes:
        delay_s: what was made, moved or renamed less than this ago, by the control clock, is not found.
        duplicates: each page but the first begins with the last match of the page before.
        omit_every: of so many matches the last is left out; 0 leaves none out.
    """

    tokens: Tokens
    delay_s: float = 0.0
    duplicates: bool = False
    omit_every: int = 0
    cursors: dict[str, tuple[Results, int]] = field(default_factory=dict)
    _states: dict[Namespace, list[tuple[float, Indexed]]] = field(default_factory=lambda: defaultdict(list))

    def set_delay(self, delay_s: float, namespaces: list[Namespace]) -> None:
        """From now on the index lags behind; what is there now is in it."""
        self.delay_s = delay_s
        self._states.clear()
        for namespace in namespaces if delay_s else ():
            self._states[namespace].append((float("-inf"), _state(namespace)))

    def note(self, namespace: Namespace) -> None:
        """Something has changed."""
        if self.delay_s:
            self._states[namespace].append((self.tokens.clock.time(), _state(namespace)))

    def knows(self, namespace: Namespace, node: Node) -> bool:
        """Whether the index has come as far as this node with this name."""
        if not self.delay_s:
            return True
        until = self.tokens.clock.time() - self.delay_s
        reached = [state for at, state in self._states[namespace] if at <= until]
        return bool(reached) and (node.id, node.names()) in reached[-1]

    def thin_out(self, found: list[Match]) -> list[Match]:
        if not self.omit_every:
            return found
        return [match for number, match in enumerate(found, 1) if number % self.omit_every]


def search(call: Call) -> Answer:
    options = args.check_struct(OPTION_FIELDS, call.args["options"] or {})
    match_fields = args.check_struct(MATCH_FIELDS, call.args["match_field_options"] or {})
    query = Query(
        words_of(call.args["query"]),
        filename_only=options["filename_only"],
        extensions=frozenset(extension.lower().lstrip(".") for extension in options["file_extensions"] or ()),
        categories=frozenset(args.tag_of(category) for category in options["file_categories"] or ()),
    )
    searches = call.world.searches
    finds = _find if args.tag_of(options["file_status"]) == "active" else _find_deleted
    is_own = options["account_id"] in {None, call.account.account_id}
    found = searches.thin_out(list(finds(call, query, options["path"] or "")) if is_own else [])[:MOST_MATCHES]
    if args.tag_of(options["order_by"] or "relevance") == "last_modified_time":
        found.sort(key=_modified, reverse=True)
    highlights = match_fields["include_highlights"] or bool(call.args["include_highlights"])
    results = Results(call.view, query, tuple(found), options["max_results"], highlights)
    return answer_json(_page(searches, results, 0))


def search_continue(call: Call) -> Answer:
    searches = call.world.searches
    results, at = searches.cursors.get(call.args["cursor"], (None, 0))
    if results is None or results.view.account is not call.account:
        raise _invalid("cursor: it was handed out to nobody who asks with it")
    return answer_json(_page(searches, results, at))


def _find(call: Call, query: Query, path: str) -> Iterator[Match]:
    for namespace, node in _nodes(call.view, path):
        name = node.name if node.parent else call.account.display_name
        matched = query.match(node, name) if call.world.searches.knows(namespace, node) else None
        if matched is not None:
            yield namespace, node, matched


def _find_deleted(call: Call, query: Query, path: str) -> Iterator[Match]:
    """What once was beneath the folder and is no more, each path once, as it was last spelled."""
    for space, folder in _trees(call.view, path):
        base = fold_all(folder.names())
        told: set[Key] = set()
        for change in reversed(space.changes):
            hidden = call.account.sights in change.hidden_from
            beneath = change.gone.walk() if change.gone is not None else ()
            for names in (change.names, *((*change.names, *_below(change.gone, node)) for node in beneath)):
                key = fold_all(names)
                if key[: len(base)] == base and key not in told and space.find(names) is None:
                    told.add(key)
                    if query.is_in(names[-1]) and not hidden:
                        yield space, names, "filename"


def _below(folder: Folder | None, node: Node) -> Names:
    """The names that lead from a folder down to a node in it, be they both gone."""
    depth = len(folder.names()) if folder is not None else 0
    return node.names()[depth:]


def _nodes(view: View, path: str) -> Iterator[tuple[Namespace, Node]]:
    """Everything that is seen beneath a folder, that which is mounted in it included."""
    for number, (space, folder) in enumerate(_trees(view, path)):
        if number:
            yield space, folder  # what is mounted is found itself
        yield from ((space, node) for node in folder.walk() if view.sees(node))


def _trees(view: View, path: str) -> Iterator[tuple[Namespace, Folder]]:
    """The folder, and the home that is mounted under a team's root."""
    folder = view.find(path)
    if not isinstance(folder, Folder):
        raise conflict("path", "not_folder")
    yield view.namespace_of(folder), folder
    if folder is view.base.root and view.shows_home_as_folder:
        yield view.account.home, view.account.home.root


def _page(searches: Searches, results: Results, at: int) -> dict[str, Any]:
    first = at - 1 if searches.duplicates and at else at
    page, end = results.found[first : at + results.limit], at + results.limit
    answer: dict[str, Any] = {"matches": [_describe(results, *match) for match in page], "has_more": False}
    if end < len(results.found):
        cursor = searches.tokens.random(64)
        searches.cursors[cursor] = results, end
        answer.update(has_more=True, cursor=cursor)
    return answer


def _describe(results: Results, space: Namespace, found: Node | Names, matched: str) -> dict[str, Any]:
    view = results.view
    metadata = view.describe_deleted(space, found) if isinstance(found, tuple) else view.describe(found)
    match: dict[str, Any] = {
        "metadata": {".tag": "metadata", "metadata": metadata},
        "match_type": {".tag": matched},
    }
    if results.highlights:
        match["highlight_spans"] = results.query.highlights(metadata["name"])
    return match


def _modified(match: Match) -> float:
    _, node, _ = match
    return node.server_modified.timestamp() if isinstance(node, File) else 0.0


def _state(namespace: Namespace) -> Indexed:
    return frozenset((node.id, node.names()) for node in (namespace.root, *namespace.root.walk()))


def _invalid(reason: str) -> UnionError:
    return UnionError({".tag": "invalid_argument", "invalid_argument": reason})


OPTION_FIELDS = {
    "path": args.string(args.LISTED_PATH, default=None),
    "max_results": args.integer(1, 1000, default=100),
    "order_by": args.union("relevance", "last_modified_time"),
    "file_status": args.union("active", "deleted", default="active"),
    "filename_only": args.boolean(default=False),
    "file_extensions": args.items(args.string(), most=1000, default=None),
    "file_categories": args.items(args.union(*CATEGORIES), most=len(CATEGORIES), default=None),
    "account_id": args.string(default=None),
}
MATCH_FIELDS = {"include_highlights": args.boolean(default=False)}

ROUTES = (
    Route(
        "files/search_v2",
        search,
        {
            "query": args.string(most=1000),
            "options": args.struct(OPTION_FIELDS),
            "match_field_options": args.struct(MATCH_FIELDS),
            "include_highlights": args.boolean(default=None),
        },
        "files.metadata.read",
    ),
    Route("files/search/continue_v2", search_continue, {"cursor": args.string(".+")}, "files.metadata.read"),
)
