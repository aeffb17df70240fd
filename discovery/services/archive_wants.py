"""Which folders are to be watched: those of each agency, by each account with which its leases are run."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from cloud.models import DropboxAccount
from core.base.folding import fold_case, is_same_path
from discovery.models import ArchiveWatch
from leases.models import AgencyStorageConfig, Beside, Lease

KIND = "dropbox"

# What lies in a folder, in the order in which it is said, and what it is called in its title.
ARCHIVES = "archives"
CALLED: dict[str, str] = {ARCHIVES: "archives", Beside.DOCUMENTS: "documents", Beside.MISC_INDEX: "miscellaneous index"}

# Whose account, where its paths begin, and the folder, folded.
type Key = tuple[str, str, str]
# What lies there (of `CALLED`), and the agency whose it is.
type Held = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A folder that an account is to read, since something of leases is looked for there.

    Attributes:
        holds: what is looked for there, and for which agencies; archives first.
        account: what people call it.
        poll_minutes: how often it is to be looked at; the shortest period of those agencies.
    """

    account_id: str
    path_root: str
    base_path: str
    holds: tuple[Held, ...]
    account: str
    poll_minutes: int

    @property
    def key(self) -> Key:
        return self.account_id, self.path_root, fold_case(self.base_path)

    @property
    def declaration(self) -> dict[str, object]:
        """What the index is told of it."""
        title = f"{_in_words(self.holds)} in {self.base_path}, as the Dropbox of {self.account} sees them"
        return {"kind": KIND, "owned": False, "title": title, "short": f"{_in_words(self.holds)} ({self.account})"}


def key_of(watch: ArchiveWatch) -> Key:
    """What tells a watch from any other."""
    return watch.account_id, watch.path_root, fold_case(watch.base_path)


def held_in(base_path: str, configuration: AgencyStorageConfig) -> tuple[str, ...]:
    """What of an agency's leases is looked for in a folder; nothing where it is none of the agency's."""
    paths: dict[str, str] = {ARCHIVES: configuration.runsheet_archive_base_path}
    paths |= {str(which): path for which, path in configuration.beside.items()}
    return tuple(what for what, path in paths.items() if is_same_path(path, base_path))


def wanted() -> dict[Key, Wanted]:
    """All that is to be watched, by key: one query, and one for each agency."""
    found: dict[Key, Wanted] = {}
    for each in AgencyStorageConfig.objects.filter(enabled=True, watched=True).order_by("agency"):
        leases = Lease.objects.filter(agency=each.agency, initiated_by=OuterRef("user"))
        accounts = DropboxAccount.objects.filter(Exists(leases), user__is_active=True).order_by("pk")
        for account in accounts.defer("refresh_token", "access_token"):
            for want in wanted_by(account, each):
                found[want.key] = _together(found.get(want.key), want)
    return found


def wanted_by(account: DropboxAccount, configuration: AgencyStorageConfig) -> tuple[Wanted, ...]:
    """What an account watches for an agency, whether it is watched or not: the folder of the archives first, each once."""
    return tuple(
        Wanted(
            account_id=account.account_id,
            path_root=account.root_namespace_id,
            base_path=path,
            holds=tuple((what, configuration.agency) for what in held_in(path, configuration)),
            account=str(account),
            poll_minutes=configuration.poll_minutes,
        )
        for path in configuration.folders
    )


def _together(before: Wanted | None, want: Wanted) -> Wanted:
    """Two agencies may have something in one folder, and two people one account."""
    if before is None:
        return want
    order = list(CALLED)
    return Wanted(
        account_id=want.account_id,
        path_root=want.path_root,
        base_path=before.base_path,
        holds=tuple(sorted({*before.holds, *want.holds}, key=lambda each: (order.index(each[0]), each[1]))),
        account=before.account,
        poll_minutes=min(before.poll_minutes, want.poll_minutes),
    )


def _in_words(holds: Iterable[Held]) -> str:
    """Such as “Archives of BLM and NMSLO, documents of BLM”."""
    agencies: dict[str, list[str]] = {}
    for what, agency in holds:
        agencies.setdefault(what, []).append(agency)
    words = ", ".join(f"{CALLED[what]} of {' and '.join(each)}" for what, each in agencies.items())
    return words[:1].upper() + words[1:]
