"""Whose a file is: who the first part of its path names."""

from django.contrib.auth import get_user_model


class Owners:
    """The people there are, asked for once, and once more where one is not among them."""

    def __init__(self) -> None:
        self._known: frozenset[int] = frozenset()
        self._asked = False

    def known(self, first: str) -> int | None:
        """The person's number; None if there is nobody of that number."""
        # Nothing but how we write a number: "007" is no owner's, nor are digits of other scripts.
        number = int(first) if first.isascii() and first.isdigit() and str(int(first)) == first else None
        if number is None:
            return None
        if not self._asked:
            self._known, self._asked = frozenset(get_user_model().objects.values_list("pk", flat=True)), True
        return number if number in self._known else None

    def forget(self) -> None:
        """Ask again for the next batch, in which there may be new ones."""
        self._asked = False
