"""Who follows a tree by the specification's own algorithm ends with that tree, whatever happens to it."""

import contextlib
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Self

import pytest

from dropbox_standin import cursors, seeds
from dropbox_standin.sights import SIGHTS
from dropbox_standin.tree import Folder, Namespace, Node, Occupied
from dropbox_standin.views import View
from dropbox_standin.wire import UnionError
from dropbox_standin.world import Settings, World
from tests.dropbox_standin.following import Copy

if TYPE_CHECKING:
    from dropbox_standin.accounts import Account

RUNS = 200
STEPS = 24
NAMES = ("a", "A", "b", "c", "ä")


@dataclass
class Follower:
    """A client with a cursor, which it may use again after it has lost what it learned since."""

    world: World
    view: View
    folder: Folder
    recursive: bool
    include_mounted: bool
    limit: int
    copy: Copy = field(default_factory=Copy)
    cursor: cursors.Cursor | None = None

    def begin(self) -> cursors.Cursor:
        return cursors.start(
            view=self.view,
            folder=self.folder,
            path="",
            recursive=self.recursive,
            include_deleted=False,
            include_mounted=self.include_mounted,
            limit=self.limit,
        )

    def read_page(self) -> bool:
        """One page; whether there are more. Who is told that the folder is gone begins again, with nothing."""
        if self.cursor is None:
            self.copy, self.cursor = Copy(), self.begin()
        try:
            entries, self.cursor, more = self.world.cursors.page(self.cursor)
        except UnionError:
            self.cursor = None
            return False
        self.copy.apply(entries)
        return more

    def read_all(self) -> None:
        while self.read_page():
            pass

    def catch_up(self) -> None:
        """To the end of what was begun, then what has changed meanwhile; each of them may be told twice."""
        for _ in range(4):
            self.read_all()

    def is_lost(self) -> bool:
        space = self.view.namespace_of(self.folder)
        return space.by_id.get(self.folder.id) is not self.folder or not self.view.may_open(self.folder)

    def expected(self) -> dict[str, tuple[str, str]]:
        fresh = replace(self, copy=Copy(), cursor=None, limit=1000)
        fresh.read_all()
        return fresh.copy.told()


@dataclass
class Chance:
    """Something happens to a tree, or to what an account sees of it."""

    rng: Random
    spaces: list[Namespace]
    account: "Account"

    def happens(self) -> None:
        space = self.rng.choice(self.spaces)
        with contextlib.suppress(Occupied):
            self.rng.choice((self.put_file, self.put_file, self.put_folder, self.remove, self.move, self.see))(space)

    def put_file(self, space: Namespace) -> None:
        space.put_file(self.path(), content=b"")

    def put_folder(self, space: Namespace) -> None:
        space.put_folder(self.path())

    def remove(self, space: Namespace) -> None:
        if node := self.node(space):
            space.remove(node)

    def move(self, space: Namespace) -> None:
        """As the route does it: into a folder that is there, under a name that is free, and not into itself."""
        folders = [space.root, *(node for node in space.root.walk() if isinstance(node, Folder))]
        node, parent, name = self.node(space), self.rng.choice(folders), self.rng.choice(NAMES)
        if node is None or node in {*parent.lineage(), parent}:
            return
        if space.find((name,), start=parent) in {None, node}:
            space.move(node, parent=parent, name=name)

    def see(self, space: Namespace) -> None:
        node = self.node(space)
        if space is self.account.root and isinstance(node, Folder):
            self.account.sights.give(space, node, self.rng.choice(SIGHTS))
        elif self.rng.random() < 0.1:
            self.account.sights.clear(self.account.root)

    def path(self) -> tuple[str, ...]:
        return tuple(self.rng.choice(NAMES) for _ in range(self.rng.randint(1, 4)))

    def node(self, space: Namespace) -> Node | None:
        return self.rng.choice([None, *space.root.walk()])


@dataclass
class Story:
    """One run: a tree, what happens to it, and four who follow parts of it, page by page, while it does."""

    rng: Random
    chance: Chance
    followers: list[Follower]
    saved: dict[int, tuple[Copy, cursors.Cursor | None]] = field(default_factory=dict)

    @classmethod
    def begin(cls, seed: int) -> Self:
        rng, world = Random(seed), seeds.build("empty", public_url="http://127.0.0.1", settings=Settings())
        world.settings.repeat_deltas = rng.random() < 0.2
        world.settings.watched_folder = rng.choice((cursors.FOLLOW, *cursors.WATCHED_FOLDER))
        paul = world.accounts["paul"]
        chance = Chance(rng, [paul.root, paul.root, paul.home], paul)
        for _ in range(STEPS // 2):
            chance.happens()
        folders = [paul.root.root, *(node for node in paul.root.root.walk() if isinstance(node, Folder))]
        view = View(paul, paul.root)
        followers = [
            Follower(world, view, folder, rng.random() < 0.6, rng.random() < 0.7, rng.randint(1, 4))
            for folder in [*rng.choices(folders, k=3), paul.root.root]
        ]
        return cls(rng, chance, followers)

    def go_on(self) -> None:
        """Something happens, and one of them reads a page; some crash and go on from what they had saved."""
        self.chance.happens()
        at = self.rng.randrange(len(self.followers))
        one = self.followers[at]
        one.read_page()
        if self.rng.random() < 0.2:
            self.saved[at] = Copy(dict(one.copy.known)), one.cursor
        elif at in self.saved and self.rng.random() < 0.2:
            one.copy, one.cursor = Copy(dict(self.saved[at][0].known)), self.saved[at][1]


@pytest.mark.parametrize("part", range(2))
def test_a_copy_becomes_the_tree(part: int) -> None:
    for seed in range(part, RUNS, 2):
        story = Story.begin(seed)
        for _ in range(STEPS):
            story.go_on()

        for one in story.followers:
            one.catch_up()
            assert one.is_lost() or one.copy.told() == one.expected(), f"seed {seed}"
