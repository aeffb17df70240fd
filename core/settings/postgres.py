"""How PostgreSQL is asked, out of the environment."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dj_database_url

from core.settings import environment

# Who waits for a lock is told so after this long, not shown a page that never comes.
LOCK_TIMEOUT_S = 10
# The locks of a process that is stopped, or whose host is lost, end after this long. Longer than a renewal of a token.
TRANSACTION_IDLE_S = 40
# What the commands are called everywhere else.
PROGRAMS = {"reconcile": "reconciler", "rqworker": "worker", "rqworker-pool": "worker"}
# A list that takes longer at a replica is read at the primary.
REPLICA_STATEMENT_S = 5


def is_pooled() -> bool:
    """Whether a pooler stands between, which hands each transaction to another connection: nothing that is set stays set.

    Raises:
        ImproperlyConfigured: it is not said in a word that is known.
    """
    return environment.choice("DATABASE_POOLER", "none", among=("none", "transaction")) == "transaction"


def program_name(argv: Sequence[str]) -> str:
    """What a process calls itself to PostgreSQL, for whoever asks who is connected: `runsheet web`, `runsheet migrate`.

    There are few such names, and none has a number of its own: a pooler hands a connection on without another word if both
    who had it and who gets it are called the same.
    """
    given = [*argv, "", ""]
    if "gunicorn" in Path(given[0]).parts:
        return "runsheet web"
    if Path(given[0]).name != "manage.py" or not re.fullmatch(r"[a-z_-]{1,40}", given[1]):
        return "runsheet"
    return f"runsheet {PROGRAMS.get(given[1], given[1])}"


def database(url: str, *, is_pooled: bool) -> dict[str, Any]:
    """What Django needs to ask it, see docs/operations.md, “A pooler”.

    Raises:
        ImproperlyConfigured: something cannot be right.
    """
    found: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}
    # Statements that are sent again and again are prepared from the third time on; a pooler may keep none.
    prepares = environment.choice("DATABASE_PREPARES", "no" if is_pooled else "yes", among=("yes", "no")) == "yes"
    limits = f"-c lock_timeout={LOCK_TIMEOUT_S}s -c idle_in_transaction_session_timeout={TRANSACTION_IDLE_S}s"
    options = {
        # Unless the address has application_name, or the environment PGAPPNAME.
        "fallback_application_name": program_name(sys.argv),
        # A server that is gone without a word is noticed within 15 to 25 s (libpq's units: s, s, s, count, ms).
        "connect_timeout": 5,
        "prepare_threshold": 2 if prepares else None,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        # Behind a pooler these are what the pooler says to PostgreSQL.
        **({} if is_pooled else {"options": limits}),
    }
    return {
        **found,
        # A cursor of the server's would be lost with its transaction.
        "DISABLE_SERVER_SIDE_CURSORS": is_pooled,
        "OPTIONS": {**found.get("OPTIONS", {}), **options},
    }


def replica(url: str, *, is_pooled: bool) -> dict[str, Any]:
    """The same for a replica, which nobody waits for: where it is slow, or away, the primary is asked.

    Raises:
        ImproperlyConfigured: something cannot be right.
    """
    found = database(url, is_pooled=is_pooled)
    limits = f"-c default_transaction_read_only=on -c statement_timeout={REPLICA_STATEMENT_S}s"
    brief = {
        # libpq's units: s, s, s, count, ms.
        "connect_timeout": 2,
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "tcp_user_timeout": 3_000,
        **({} if is_pooled else {"options": f"{found['OPTIONS']['options']} {limits}"}),
    }
    return {**found, "OPTIONS": {**found["OPTIONS"], **brief}}
