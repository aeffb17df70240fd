"""How often Dropbox is asked for leases, said before it is."""

from dataclasses import dataclass

# One listing, and one call for the link: made, or seen to lead there. Without a directory one more in most cases.
CALLS_PER_LEASE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """About how many calls it takes to run some leases.

    Attributes:
        starting: how many leases are run.
        answered: how many of them are answered from the index, without a call.
    """

    starting: int
    answered: int

    @property
    def count(self) -> int:
        return (self.starting - self.answered) * CALLS_PER_LEASE

    def __str__(self) -> str:
        if not self.answered:
            return f"about {self.count}, by your Dropbox account"
        known = "from what is known of their folder; their share links are made when they are opened"
        if not self.count:
            return f"none: all are answered {known}"
        return f"about {self.count}, by your Dropbox account; about {self.answered} leases are answered {known}"
