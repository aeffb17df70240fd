"""Room for documents, exact however many ask at once: each change of a quota holds its row, and rows are held in one order."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import F

from core.base.sizes import size_text
from documents.errors import QuotaExceeded, TooManyVersions
from documents.models import Quota


def held(*, owner_id: int, agency: str) -> list[Quota]:
    """The quotas that a document of that owner counts against, locked until the transaction ends.

    Args:
        agency: empty: it counts against the owner's alone.
    """
    Quota.objects.bulk_create(_wanted(owner_id, agency), ignore_conflicts=True)
    found = [Quota.objects.filter(user_id=owner_id)]
    if agency:
        found.append(Quota.objects.filter(agency=agency))
    # People's before agencies', everywhere: so nobody waits for somebody who waits for them.
    return [each.select_for_update(of=("self",)).get() for each in found]


def reserve(*, owner_id: int, agency: str, size: int, gladly: int = 0) -> int:
    """Keep so much room, in the transaction that is open, or say that there is none; how much is kept.

    Args:
        gladly: so much is kept where there is room, so that whoever needs more and more need not ask for each byte.

    Raises:
        QuotaExceeded: there is not even the size; nothing is kept.
    """
    quotas = held(owner_id=owner_id, agency=agency)
    for quota in quotas:
        require_room(quota, size=size)
    kept = max(size, min([gladly, *(quota.room for quota in quotas if quota.room is not None)]))
    _add(quotas, reserved=kept)
    return kept


def release(*, owner_id: int, agency: str, size: int) -> None:
    """Give room back that was kept."""
    _add(held(owner_id=owner_id, agency=agency), reserved=-size)


def settle(*, owner_id: int, agency: str, reserved: int, used: int) -> None:
    """Room that was kept is used now; what was kept beyond that is given back."""
    _add(held(owner_id=owner_id, agency=agency), reserved=-reserved, used=used)


def add_version(*, owner_id: int) -> None:
    """Count one version more of a person's, in the transaction that is open.

    Raises:
        TooManyVersions: there are as many as one person may have.
    """
    (quota,) = held(owner_id=owner_id, agency="")
    require_count(quota)
    Quota.objects.filter(pk=quota.pk).update(version_count=F("version_count") + 1)


def require_count(quota: Quota) -> None:
    """Go on only if one version more is not too many.

    Raises:
        TooManyVersions: it is.
    """
    if quota.version_count >= settings.DOCUMENTS_VERSIONS_AT_MOST:
        raise TooManyVersions(
            f"You have {quota.version_count:,} versions of documents, and {settings.DOCUMENTS_VERSIONS_AT_MOST:,} are the most. "
            "Have deleted for good what is not needed any more, or ask an administrator for more."
        )


def free_versions(*, owner_id: int, count: int) -> None:
    """So many versions of a person's are gone."""
    Quota.objects.filter(user_id=owner_id).update(version_count=F("version_count") - count)


def free(*, owner_id: int, agency: str, size: int) -> None:
    """What was used is used no more."""
    _add(held(owner_id=owner_id, agency=agency), used=-size)


def move(*, size: int, agency: str, to: str) -> None:
    """Let what a document uses count against another agency.

    Args:
        to: an agency; whatever was once charged to one never counts against none.

    Raises:
        QuotaExceeded: that one has not so much room.
    """
    if agency == to:
        return
    names = sorted({agency, to} - {""})
    Quota.objects.bulk_create([Quota(agency=each) for each in names], ignore_conflicts=True)
    quotas = {each: Quota.objects.select_for_update().get(agency=each) for each in names}
    require_room(quotas[to], size=size)
    _add([quotas[to]], used=size)
    if agency:
        _add([quotas[agency]], used=-size)


def require_room(quota: Quota, *, size: int) -> None:
    """Go on only if so much more fits into a locked quota.

    Raises:
        QuotaExceeded: it does not.
    """
    if quota.limit is None or quota.room is None or size <= quota.room:
        return
    whose = f"The space for the documents of {quota.agency}" if quota.agency else "Your space for documents"
    raise QuotaExceeded(
        f"{whose} has {size_text(max(0, quota.room))} left of {size_text(quota.limit)}. "
        "Have deleted for good what is not needed any more, or ask an administrator for more.",
        evidence={"limit": quota.limit, "used": quota.used_bytes, "reserved": quota.reserved_bytes, "wanted": size},
    )


def _add(quotas: Iterable[Quota], *, reserved: int = 0, used: int = 0) -> None:
    for quota in quotas:
        Quota.objects.filter(pk=quota.pk).update(
            reserved_bytes=F("reserved_bytes") + reserved, used_bytes=F("used_bytes") + used
        )


def _wanted(owner_id: int, agency: str) -> list[Quota]:
    return [Quota(user_id=owner_id), *([Quota(agency=agency)] if agency else [])]


def limit(*, owner_id: int | None = None, agency: str = "", limit_bytes: int | None) -> Quota:
    """Say how much room somebody has.

    Args:
        limit_bytes: None: as the settings say.
    """
    with transaction.atomic():
        if agency:
            Quota.objects.bulk_create([Quota(agency=agency)], ignore_conflicts=True)
            quota = Quota.objects.select_for_update().get(agency=agency)
        else:
            assert owner_id is not None
            (quota,) = held(owner_id=owner_id, agency="")
        quota.limit_bytes = limit_bytes
        quota.save(update_fields=["limit_bytes"])
    return quota
