"""Whoever is named beside the files is found again among the people there are; who is not there any more is made anew, let in nowhere."""

from collections.abc import Mapping

from django.contrib.auth.models import User

from documents.sidecars import SaidPerson


class People:
    """Those who are named in one sidecar, and who they are here.

    Args:
        said: by their numbers.
        may_make: whether what is said is believed as a whole.

    Attributes:
        remarks: what somebody should know, each once.
    """

    def __init__(self, said: Mapping[str, SaidPerson], *, may_make: bool) -> None:
        self._said = said
        self._may_make = may_make
        self._known: dict[int, int | None] = {}
        self.remarks: list[str] = []

    def known(self, pk: int | None) -> int | None:
        """The number of the same person here; None if it is nobody's, or somebody else's."""
        if pk is None:
            return None
        if pk not in self._known:
            self._known[pk] = self._found(pk)
        return self._known[pk]

    def _found(self, pk: int) -> int | None:
        said, here = self._said.get(str(pk)), User.objects.filter(pk=pk).first()
        if said is None:
            return None
        if here is None:
            return self._made(pk, said) if self._may_make else None
        # Names change, and numbers are given anew where all people are gone; that both are others is somebody else.
        if said.username == here.username or said.date_joined == here.date_joined:
            return pk
        self.remarks.append(f"Person {pk} was “{said.username}”, and is “{here}” now: nothing becomes theirs.")
        return None

    def _made(self, pk: int, said: SaidPerson) -> int:
        is_taken = User.objects.filter(username=said.username).exists()
        name = f"{said.username[:130]}-{pk}" if is_taken else said.username
        made = User(pk=pk, username=name, date_joined=said.date_joined, is_active=False)
        made.set_unusable_password()
        made.save(force_insert=True)
        self.remarks.append(
            f"Person {pk} was not there, and was made anew as “{name}”: without rights, and not let in."
        )
        return pk
