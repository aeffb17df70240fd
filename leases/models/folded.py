"""What PostgreSQL makes of a text as `core.base.folding` and `leases.lookalikes` do, whatever locale the database has."""

from django.db.models import Func, TextField


class Folded(Func):
    """In the one case that Dropbox takes for the same: `core.base.folding.fold_case`."""

    function = "dropbox_fold"
    arity = 1
    output_field = TextField()


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
