"""What was seen when somebody looked through a Dropbox."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was seen.

    Attributes:
        is_good: false where somebody has something to do; the text says what.
        was_seen: false where nobody could look, or there was nothing to look at; such a finding says nothing of a folder.
        is_needed: false of a folder that no work looks into, so that nothing fails for want of it.
    """

    is_good: bool
    text: str
    was_seen: bool = True
    is_needed: bool = True

    @property
    def is_note(self) -> bool:
        """Whether it is not right, but nothing depends on it."""
        return not self.is_good and not self.is_needed
