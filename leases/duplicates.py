"""Which leases there are already that somebody is about to make, or that look as if they were the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, F, Func, Q, TextField, Value, Window
from django.db.models.functions import Replace

from leases.lookalikes import difference, doubts_about_number
from leases.models import Lease
from leases.models.folded import Bare, Short


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """What is there of an agency and a number.

    Attributes:
        key: the number in Dropbox's case: what is the same twice would violate uniqueness.
        bare_key: the number without case, blanks and dashes (`leases.lookalikes`).
        short_key: the same without leading zeros.
        same_id: the lease with this number.
        similar_id: else the first lease whose number looks like this one.
        similar_number: that lease's.
        similar_count: how many leases have a number that looks like this one.
    """

    key: str
    bare_key: str
    short_key: str
    same_id: int | None
    similar_id: int | None
    similar_number: str | None
    similar_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike[T]:
    """What looks like something else.

    Attributes:
        first: the one that is named.
        others: how many more there are.
    """

    first: T
    others: int = 0


class Crowd[T]:
    """Numbers that stand together, as in a file: for each of them those that look like it, wherever they stand.

    Nothing is gone through for one of them, so that thousands that are all alike take no longer than others.
    """

    def __init__(self, members: Iterable[tuple[str, Twins, T]]) -> None:
        """
        Args:
            members: of each its agency, what is there of it, and itself; no lease twice.
        """
        self._first: dict[tuple[str, ...], list[T]] = {}
        self._count: Counter[tuple[str, ...]] = Counter()
        for agency, twins, this in members:
            for key in _keys(agency, twins):
                self._count[key] += 1
                # Of two one is another one than whoever asks.
                if self._count[key] <= 2:  # noqa: PLR2004
                    self._first.setdefault(key, []).append(this)

    def like(self, agency: str, twins: Twins, this: T) -> Alike[T] | None:
        """The first other one that looks like this member, and how many more do."""
        bare, short, both = _keys(agency, twins)
        found = [each for key in (bare, short) for each in self._first[key] if each is not this]
        if not found:
            return None
        # Those that have both keys in common are counted with either.
        count = self._count[bare] + self._count[short] - self._count[both] - 1
        return Alike(first=found[0], others=count - 1)


def _keys(agency: str, twins: Twins) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    bare, short = twins.bare_key, twins.short_key
    return (agency, "bare", bare), (agency, "short", short), (agency, "both", bare, short)


def doubts_about(*, agency: str, number: str, besides: int | None = None) -> list[str]:
    """Why a number may not be what is meant, a sentence each: how it is written, and another lease that it looks like.

    Nobody is kept from it; whoever gives the number is told.

    Args:
        number: normalised.
        besides: the lease that has the number.
    """
    doubts = doubts_about_number(number, agency=agency)
    if similar := similar_to(Lease(pk=besides, agency=agency, lease_number=number)):
        doubts.append(looks_like(agency, number, Alike(first=similar.first.lease_number, others=similar.others)))
    return doubts


def looks_like(agency: str, number: str, other: Alike[str]) -> str:
    """The sentence that names another lease, and says how many more there are."""
    differs = f"which differs only in {difference(number, other.first)}"
    return f"{agency} already has {other.first}, {differs}{and_others(other.others, ', and {} like it')}."


def looks_like_row(number: str, other: str, *, row: int, others: int) -> str:
    """The same of another row of one file."""
    differs = f"Differs only in {difference(number, other)} from {other} in row {row}"
    return f"{differs}{and_others(others, ' and from {} like it')}."


def and_others(count: int, words: str) -> str:
    """How many more there are, put into words that hold a place for it; empty if there is none."""
    return words.format(f"{count:,} other{'s' if count > 1 else ''}") if count else ""


def similar_to(lease: Lease) -> Alike[Lease] | None:
    """Another lease of the agency whose number differs from this one's in nothing but blanks, dashes, leading zeros, an
    apostrophe, or characters that look alike; the first that there was, and how many more there are.
    """
    number = Value(lease.lease_number)
    near = Lease.objects.alias(digits=_without_any_zero(F("bare_key"))).filter(
        agency=lease.agency, digits=_without_any_zero(Bare(number))
    )
    alike = near.filter(Q(bare_key=Bare(number)) | Q(short_key=Short(number)))
    others = alike.exclude(pk=lease.pk)
    first = others.annotate(count=Window(Count("*"))).order_by("pk").first()
    return Alike(first=first, others=first.count - 1) if first else None


def _without_any_zero(key: F | Func) -> Replace:
    """What the index has of each lease: few share it, and all that are alike do."""
    return Replace(key, Value("0"), output_field=TextField())


def twins_of(wanted: Sequence[tuple[str, str]]) -> list[Twins]:
    """What is there of each agency and number; asks the database once.

    Args:
        wanted: the numbers normalised.
    """
    leases = connection.ops.quote_name(Lease._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            # No part of it comes from a file.
            f"""
            WITH given AS MATERIALIZED (
                SELECT place, agency, dropbox_fold(number) AS key, bare_number(number) AS bare_key,
                    short_number(number) AS short_key
                FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (agency, number, place)
            ), near AS MATERIALIZED (
                SELECT id, lease_number, agency, bare_key, short_key FROM {leases}
                WHERE (agency, replace(bare_key, '0', '')) IN (SELECT agency, replace(bare_key, '0', '') FROM given)
            ), bare AS MATERIALIZED (
                SELECT DISTINCT ON (agency, bare_key) *, count(*) OVER (PARTITION BY agency, bare_key) AS size
                FROM near ORDER BY agency, bare_key, id
            ), short AS MATERIALIZED (
                SELECT DISTINCT ON (agency, short_key) *, count(*) OVER (PARTITION BY agency, short_key) AS size
                FROM near ORDER BY agency, short_key, id
            ), both_keys AS MATERIALIZED (
                SELECT agency, bare_key, short_key, count(*) AS size FROM near GROUP BY agency, bare_key, short_key
            )
            SELECT given.key, given.bare_key, given.short_key, lease.id,
                coalesce(bare.id, short.id), coalesce(bare.lease_number, short.lease_number),
                coalesce(bare.size, 0) + coalesce(short.size, 0) - coalesce(both_keys.size, 0)
            FROM given
            LEFT JOIN {leases} AS lease ON lease.agency = given.agency AND dropbox_fold(lease.lease_number) = given.key
            LEFT JOIN bare ON bare.agency = given.agency AND bare.bare_key = given.bare_key
            LEFT JOIN short ON short.agency = given.agency AND short.short_key = given.short_key
            LEFT JOIN both_keys ON both_keys.agency = given.agency AND both_keys.bare_key = given.bare_key
                AND both_keys.short_key = given.short_key
            ORDER BY given.place
            """,  # noqa: S608 - a table's name
            [[agency for agency, _ in wanted], [number for _, number in wanted]],
        )
        names = ("key", "bare_key", "short_key", "same_id", "similar_id", "similar_number", "similar_count")
        return [Twins(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
