"""What PostgreSQL makes of a text as `core.base.folding` does, whatever locale the database has."""

from django.db.models import Func, TextField


class Folded(Func):
    """In the one case that Dropbox takes for the same: `core.base.folding.fold_case`."""

    function = "dropbox_fold"
    arity = 1
    output_field = TextField()
