"""Look at everything that has to be right, with any of it away, and say what is wrong and what to do about it."""

from collections.abc import Callable, Iterator

from core.ops.doctor import archives, configuration, postgres, replica, servers, storage
from core.ops.doctor.finding import Finding, Mark

PARTS: dict[str, Callable[[], Iterator[Finding]]] = {
    "PostgreSQL": servers.database,
    "Statements": postgres.statements,
    "Tables": postgres.tables,
    "History": postgres.history,
    "Log archive": postgres.archive,
    "Backups": postgres.backups,
    "Replica": replica.replica,
    "Redis": servers.redis,
    "Workers": servers.workers,
    "Reconciler": servers.reconciler,
    "Dropbox": servers.dropbox,
    "Storage": storage.place,
    "Roots": storage.roots,
    "Archives": archives.watches,
    "Notifications": archives.notifications,
    "Settings": configuration.settings_in_use,
    "Pages": configuration.pages,
    "Encryption keys": configuration.encryption_keys,
    "Agencies": configuration.agencies,
    "Connections": configuration.connected_accounts,
    "E-mail": configuration.email,
}


def examine() -> list[tuple[str, Finding]]:
    """Every finding with the name of the part that it is about, in the order of the table."""
    return [(name, finding) for name, part in PARTS.items() for finding in _look(part)]


def _look(part: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(part())
    except Exception as error:  # noqa: BLE001 - whatever is broken, the other parts are to be looked at
        seen = f"could not be looked at ({type(error).__name__}: {error})"
        return [Finding(Mark.WRONG, seen, "This is a bug of the doctor's or a fault that it does not know; report it.")]
