"""What PostgreSQL makes of a number as `leases.lookalikes` does, whatever locale the database has."""

from django.db.models import Func, TextField


class Bare(Func):
    """Without blanks, dashes and the like: `leases.lookalikes.bare_key`."""

    function = "bare_number"
    arity = 1
    output_field = TextField()


class Short(Func):
    """The same without leading zeros: `leases.lookalikes.short_key`."""

    function = "short_number"
    arity = 1
    output_field = TextField()
