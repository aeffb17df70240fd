"""Whose the archives are that come near a number: those of other leases are not meant by it."""

from collections.abc import Collection, Sequence

from cloud.models import DropboxAccount
from core.base.folding import fold_case, is_same_path
from discovery.services.judging import may_judge
from leases.lookalikes import short_key
from leases.models import NOBODY, Lease
from leases.queries import leases_numbered


def not_of_others(
    names: Sequence[str],
    *,
    lease: Lease,
    base_path: str,
    account: DropboxAccount,
    namespace: str,
    made_lately: Collection[str] = (),
) -> list[str]:
    """Those of the names that the lease's number may mean: no archive of another lease, which was found there by that number.

    What is the same number written otherwise may be meant all the same: then two leases are one. One query.

    Args:
        namespace: the shared folder in which the account sees the base path.
        made_lately: those that were made for another lease, whose run may not have ended yet.
    """
    if not names:
        return []
    others = leases_numbered(lease.agency, names).exclude(pk=lease.pk).select_related("runsheet_directory")
    made = set(map(fold_case, made_lately))
    known = {
        fold_case(each.lease_number)
        for each in others
        if fold_case(each.lease_number) in made
        or _is_found(each, base_path=base_path, account=account, namespace=namespace)
    }
    number = short_key(lease.lease_number)
    return [name for name in names if fold_case(name) not in known or short_key(name) == number]


def _is_found(lease: Lease, *, base_path: str, account: DropboxAccount, namespace: str) -> bool:
    """Whether its archive lies in this folder, by whoever sees the same folder."""
    directory = lease.runsheet_directory
    if directory is None or not is_same_path(directory.path, f"{base_path}/{lease.lease_number}"):
        return False
    return lease.origin != NOBODY and may_judge(lease.origin, account=account, namespace=namespace)
