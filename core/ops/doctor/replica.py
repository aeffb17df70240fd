"""Whether lists and exports can be read at the replica, if there is one."""

import math
from collections.abc import Iterator

from django.conf import settings
from django.db import Error, connections

from core.base.database import in_words
from core.base.replica import ALIAS, is_configured
from core.ops.doctor.finding import PATIENCE_S, Finding, Mark, answer, from_database, unseen
from core.ops.replica import READ_AT_PRIMARY, NotOurs, ask_primary, examine

BEHIND = (
    "See its load, its disk, the way from the primary, and its own log: a replica that lacks a file of the primary's log has to be "
    "copied anew."
)
WITHOUT = "lists are read at the primary: there is none"


def replica() -> Iterator[Finding]:
    """Whether it answers, is one of this primary's, and how far it is behind."""
    if not is_configured():
        yield Finding(Mark.OK, WITHOUT)
        return
    if from_database(ask_primary) is None:
        yield unseen("PostgreSQL")
        return
    where = connections.settings[ALIAS]["HOST"]
    try:
        found = answer(examine)
    except NotOurs as error:
        yield Finding(Mark.WRONG, f"{where} is none of this primary's", f"{error} {READ_AT_PRIMARY}")
    except Error as error:
        told = in_words(error).replace("DATABASE_URL", "DATABASE_REPLICA_URL")
        yield Finding(Mark.WRONG, f"{where} cannot be asked", f"{told} {READ_AT_PRIMARY}")
    except TimeoutError:
        advice = f"See that it runs, and the way there. {READ_AT_PRIMARY}"
        yield Finding(Mark.WRONG, f"{where} does not answer within {PATIENCE_S:.0f} s", advice)
    else:
        lag = f"{found.lag_s:,.1f} s" if math.isfinite(found.lag_s) else "more than is known"
        seen = f"{where} is in recovery, follows this primary, and is behind by {lag}"
        if found.is_fresh:
            yield Finding(Mark.OK, seen)
        else:
            more = (
                f"That is more than DATABASE_REPLICA_LAG_S ({settings.DATABASE_REPLICA_LAG_S:g} s). {READ_AT_PRIMARY}"
            )
            yield Finding(Mark.WRONG, seen, f"{more} {BEHIND}")
