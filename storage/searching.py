"""Files are looked for by words of their names, or by the beginning of a path."""

from collections.abc import Callable, Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Collate, Lower
from django.utils.text import smart_split, unescape_string_literal

from console.records.lists import SEARCH_CHARACTERS_AT_MOST, SEARCH_WORDS_AT_MOST
from core.base.errors import Refused
from storage.models import StoredFile

# By root: the one before it that has read the same place.
type Same = Callable[[], Mapping[int, int]]

_tellers: list[Same] = []


class SearchTooLong(Refused):
    """Nobody types so much to find a file. Search for fewer words."""

    code = "search_too_long"


def matching(files: QuerySet[StoredFile], text: str) -> QuerySet[StoredFile]:
    """Those with all these words in their name, whatever the case; or, of a path, what lies there and below.

    Raises:
        SearchTooLong: nobody has typed so much.
    """
    words = [_bare(word) for word in smart_split(text)]
    if len(text) > SEARCH_CHARACTERS_AT_MOST or len(words) > SEARCH_WORDS_AT_MOST:
        raise SearchTooLong
    if "/" in text:
        path = text.strip().lstrip("/")
        return files.filter(key__gte=path, key__lt=f"{path}\U0010ffff")
    # In our letters PostgreSQL compares bytes, which takes half the time.
    files = files.alias(plain_name=Lower(Collate("name", "C")))
    for word in words:
        has = {"plain_name__contains": word.lower()} if word.isascii() else {"name__icontains": word}
        files = files.filter(**has)
    return files


def once(files: QuerySet[StoredFile]) -> QuerySet[StoredFile]:
    """Without those that stand in another root, too, since several have read the same place; each of them is one file."""
    for teller in _tellers:
        for root, first in teller().items():
            same = StoredFile.objects.filter(
                root=first, key=OuterRef("key"), etag=OuterRef("etag"), state=OuterRef("state")
            )
            files = files.exclude(Q(root=root) & Q(Exists(same)))
    return files


def told_by(teller: Same) -> None:
    """Let somebody tell which roots are one place."""
    _tellers.append(teller)


def _bare(word: str) -> str:
    is_quoted = word[:1] in {'"', "'"} and word[0] == word[-1] and len(word) > 1
    return unescape_string_literal(word) if is_quoted else word
