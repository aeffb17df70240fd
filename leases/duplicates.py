"""Which leases there are already that somebody is about to make, or that look as if they were the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Replace, Upper

from leases.models import Lease

# What separates the parts of a number as a blank does: hyphens, dashes, the minus sign, the underscore.
DASHES = "-_\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{HORIZONTAL BAR}\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """What is there of an agency and a number.

    Attributes:
        key: the number as PostgreSQL folds its case: what is the same twice would violate uniqueness.
        loose_key: the number without case, blanks and dashes.
        same_id: the lease with this number.
        similar_id: else the first lease that differs from it only in blanks and dashes.
        similar_number: that lease's.
    """

    key: str
    loose_key: str
    same_id: int | None
    similar_id: int | None
    similar_number: str | None


def similar_to(lease: Lease) -> Lease | None:
    """Another lease of the agency whose number differs from this one's in nothing but blanks, dashes or case."""
    key = Upper(Replace(Value(lease.lease_number), Value(" ")))
    others = Lease.objects.filter(agency=lease.agency).exclude(pk=lease.pk)
    return (
        others.annotate(loose=_without_dashes(F("number_key")))
        .filter(loose=_without_dashes(key))
        .order_by("pk")
        .first()
    )


def _without_dashes(text: F | Func) -> Func:
    return Func(text, Value(DASHES), Value(""), function="translate", output_field=TextField())


def twins_of(wanted: Sequence[tuple[str, str]]) -> list[Twins]:
    """What is there of each agency and number; asks the database once.

    Args:
        wanted: the numbers normalised.
    """
    leases = connection.ops.quote_name(Lease._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            # No part of it comes from a file. The leases are read once, whatever is wanted.
            f"""
            WITH given AS (
                SELECT place, agency, upper(number) AS key,
                    translate(upper(replace(number, ' ', '')), %s, '') AS loose_key
                FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (agency, number, place)
            ), similar_leases AS MATERIALIZED (
                SELECT DISTINCT ON (agency, loose_key) id, lease_number, agency, loose_key
                FROM (SELECT id, lease_number, agency, translate(number_key, %s, '') AS loose_key FROM {leases}) AS lease
                WHERE loose_key IN (SELECT loose_key FROM given)
                ORDER BY agency, loose_key, id
            )
            SELECT given.key, given.loose_key, lease.id, similar_leases.id, similar_leases.lease_number
            FROM given
            LEFT JOIN {leases} AS lease ON lease.agency = given.agency AND upper(lease.lease_number) = given.key
            LEFT JOIN similar_leases
                ON similar_leases.agency = given.agency AND similar_leases.loose_key = given.loose_key
            ORDER BY given.place
            """,  # noqa: S608 - a table's name
            [DASHES, [agency for agency, _ in wanted], [number for _, number in wanted], DASHES],
        )
        names = ("key", "loose_key", "same_id", "similar_id", "similar_number")
        return [Twins(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
