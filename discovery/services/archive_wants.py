"""Which folders of archives are to be watched: those of each agency, by each account with which its leases are run."""

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from cloud.models import DropboxAccount
from core.base.folding import fold_case
from discovery.models import ArchiveWatch
from leases.models import AgencyStorageConfig, Lease

KIND = "dropbox"

# Whose account, where its paths begin, and the folder, folded.
type Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A folder of archives that an account is to read.

    Attributes:
        agencies: whose archives lie there.
        account: what people call it.
        poll_minutes: how often it is to be looked at; the shortest period of those agencies.
        to_whom: each agency with each person who uses the account for it, in order; empty where nobody has asked for that.
    """

    account_id: str
    path_root: str
    base_path: str
    agencies: tuple[str, ...]
    account: str
    poll_minutes: int
    to_whom: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return self.account_id, self.path_root, fold_case(self.base_path)

    @property
    def declaration(self) -> dict[str, object]:
        """What the index is told of it."""
        title = f"Archives of {' and '.join(self.agencies)} in “{self.base_path}”, as the Dropbox of {self.account} sees them"
        return {"kind": KIND, "owned": False, "title": title}


def key_of(watch: ArchiveWatch) -> Key:
    """What tells a watch from any other."""
    return watch.account_id, watch.path_root, fold_case(watch.base_path)


def wanted() -> dict[Key, Wanted]:
    """All that is to be watched, by key: one query, and one for each agency."""
    found: dict[Key, Wanted] = {}
    for each in AgencyStorageConfig.objects.filter(enabled=True, watched=True).order_by("agency"):
        leases = Lease.objects.filter(agency=each.agency, initiated_by=OuterRef("user"))
        accounts = DropboxAccount.objects.filter(Exists(leases), user__is_active=True).order_by("pk")
        for account in accounts.defer("refresh_token", "access_token"):
            want = replace(wanted_by(account, each), to_whom=(f"{each.agency} {account.user_id}",))
            found[want.key] = _together(found.get(want.key), want)
    return found


def wanted_by(account: DropboxAccount, configuration: AgencyStorageConfig) -> Wanted:
    """What an account watches for an agency, whether it is watched or not."""
    return Wanted(
        account_id=account.account_id,
        path_root=account.root_namespace_id,
        base_path=configuration.runsheet_archive_base_path,
        agencies=(configuration.agency,),
        account=str(account),
        poll_minutes=configuration.poll_minutes,
    )


def _together(before: Wanted | None, want: Wanted) -> Wanted:
    """Two agencies may have their archives in one folder, and two people one account."""
    if before is None:
        return want
    return Wanted(
        account_id=want.account_id,
        path_root=want.path_root,
        base_path=before.base_path,
        agencies=tuple(sorted({*before.agencies, *want.agencies})),
        account=before.account,
        poll_minutes=min(before.poll_minutes, want.poll_minutes),
        to_whom=tuple(sorted({*before.to_whom, *want.to_whom})),
    )
