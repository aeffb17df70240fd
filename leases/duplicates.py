"""Which leases there are already that somebody is about to make, or that look as if they were the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Func, Q, TextField, Value
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
    """

    key: str
    bare_key: str
    short_key: str
    same_id: int | None
    similar_id: int | None
    similar_number: str | None


class Earlier[T]:
    """Of numbers that come one after the other, as in a file, the first that each looks like."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], T] = {}

    def like(self, agency: str, twins: Twins, this: T) -> T | None:
        """The first one so far that looks like this; this is remembered for the next ones."""
        keys = [(agency, f"bare {twins.bare_key}"), (agency, f"short {twins.short_key}")]
        found = next((self._first[key] for key in keys if key in self._first), None)
        for key in keys:
            self._first.setdefault(key, this)
        return found


def doubts_about(*, agency: str, number: str, besides: int | None = None) -> list[str]:
    """Why a number may not be what is meant, a sentence each: how it is written, and another lease that it looks like.

    Nobody is kept from it; whoever gives the number is told.

    Args:
        number: normalised.
        besides: the lease that has the number.
    """
    doubts = doubts_about_number(number)
    if similar := similar_to(Lease(pk=besides, agency=agency, lease_number=number)):
        doubts.append(looks_like(similar, number))
    return doubts


def looks_like(similar: Lease, number: str) -> str:
    """The sentence that names another lease."""
    return f"{similar.agency} already has {similar.lease_number}, which differs only in {difference(number, similar.lease_number)}."


def similar_to(lease: Lease) -> Lease | None:
    """Another lease of the agency whose number differs from this one's in nothing but blanks, dashes, leading zeros, an
    apostrophe, or characters that look alike; the first that there was.
    """
    number = Value(lease.lease_number)
    near = Lease.objects.alias(digits=_without_any_zero(F("bare_key"))).filter(
        agency=lease.agency, digits=_without_any_zero(Bare(number))
    )
    alike = near.filter(Q(bare_key=Bare(number)) | Q(short_key=Short(number)))
    return alike.exclude(pk=lease.pk).order_by("pk").first()


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
                SELECT DISTINCT ON (agency, bare_key) * FROM near ORDER BY agency, bare_key, id
            ), short AS MATERIALIZED (
                SELECT DISTINCT ON (agency, short_key) * FROM near ORDER BY agency, short_key, id
            )
            SELECT given.key, given.bare_key, given.short_key, lease.id,
                coalesce(bare.id, short.id), coalesce(bare.lease_number, short.lease_number)
            FROM given
            LEFT JOIN {leases} AS lease ON lease.agency = given.agency AND dropbox_fold(lease.lease_number) = given.key
            LEFT JOIN bare ON bare.agency = given.agency AND bare.bare_key = given.bare_key
            LEFT JOIN short ON short.agency = given.agency AND short.short_key = given.short_key
            ORDER BY given.place
            """,  # noqa: S608 - a table's name
            [[agency for agency, _ in wanted], [number for _, number in wanted]],
        )
        names = ("key", "bare_key", "short_key", "same_id", "similar_id", "similar_number")
        return [Twins(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
