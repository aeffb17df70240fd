"""The running stand-in: the world of the moment, and how to begin again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dropbox_standin import seeds

if TYPE_CHECKING:
    from dropbox_standin.world import Settings, World


@dataclass
class Stage:
    """Holds the world that the routes serve; a reset puts another one in its place."""

    public_url: str
    seed: str
    settings: Settings
    world: World

    @classmethod
    def open(cls, *, public_url: str, seed: str, settings: Settings) -> Stage:
        """Raises: BadSeed: the seed cannot be read."""
        world = seeds.build(seed, public_url=public_url, settings=replace(settings))
        return cls(public_url, seed, settings, world)

    def reset(self, seed: str | dict[str, Any] | None) -> None:
        """Begin again with a seed, or with the one of the start; settings are those of the command line.

        Raises:
            BadSeed: the seed cannot be read; the old world stays.
        """
        chosen = self.seed if seed is None else seed
        world = seeds.build(chosen, public_url=self.public_url, settings=replace(self.settings))
        self.world.close()
        self.world = world
