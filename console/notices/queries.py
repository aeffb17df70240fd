"""Who is to be told what."""

from collections.abc import Collection, Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from console.notices.models import FailureNotice, Noticed
from console.notices.states import NoticeState
from console.records.links import right_to_see
from core.base.errors import failure_of

TELLING = (NoticeState.SENDING, NoticeState.SENT)


def noticed_machines() -> list[type[Noticed]]:
    """Those of whose failures people are told."""
    return [model for model in apps.get_models() if issubclass(model, Noticed)]


def seen_by(user: User | AnonymousUser) -> list[type[Noticed]]:
    """Those of them whose records the person may see."""
    return [each for each in noticed_machines() if user.has_perm(right_to_see(each))]


def machine_of(notice: FailureNotice) -> type[Noticed]:
    """Whose records it is about."""
    return apps.get_model(notice.record_type)


def failed_records(notice: FailureNotice) -> QuerySet[Any]:
    """Those of the gathered records that are still failed; who was quick to run them again need not be told."""
    machine = machine_of(notice)
    return _still_failed(machine).filter(failure_notice=notice).order_by(*machine.told_in_order)


def readers_of(notice: FailureNotice) -> list[User]:
    """Whom it is for: who started the runs, or all who look after those that nobody started."""
    if notice.right:
        return list(User.objects.with_perm(notice.right, include_superusers=True).order_by("pk"))
    return [notice.initiated_by] if notice.initiated_by else []


def rights_among(user: User, machines: Iterable[type[Noticed]]) -> list[str]:
    """The rights to look after runs that nobody started, as far as the person holds them."""
    rights = {each.looked_after_by for each in machines} - {""}
    return sorted(right for right in rights if user.has_perm(right))


def notices_of(
    user_id: int, *, machines: Iterable[type[Noticed]], at_most: int, rights: Collection[str] = ()
) -> list[Any]:
    """What a person is to be told about these machines, the newest first.

    Each has `failed_count`, how many of its records are still failed, and `example`, one of those, or None.

    Args:
        rights: which of those that notices are for the person holds.
    """
    shown = {each._meta.label_lower: each for each in machines}
    found = FailureNotice.objects.filter(_for(user_id, rights), record_type__in=shown).order_by("-pk")
    notices: list[Any] = list(found[:at_most])
    for label, machine in shown.items():
        _count_failed(machine, [each for each in notices if each.record_type == label])
    return notices


def unread_notices(
    user_id: int, *, machines: Iterable[type[Noticed]] | None = None, rights: Collection[str] = ()
) -> QuerySet[FailureNotice]:
    """Those that the person has not read and that are still worth reading: a record of theirs is failed.

    Args:
        machines: of these; None: of all.
        rights: which of those that notices are for the person holds.
    """
    among = noticed_machines() if machines is None else machines
    are_failed = reduce(or_, (_has_failed(machine) for machine in among), Q(pk=None))
    return FailureNotice.objects.filter(are_failed, _for(user_id, rights), read_at=None)


def count_unread(user_id: int, *, machines: Iterable[type[Noticed]], rights: Collection[str] = ()) -> int:
    """How many `unread_notices` there are; every page asks, and most people have none at all, which is told sooner."""
    if not FailureNotice.objects.filter(_for(user_id, rights), read_at=None).exists():
        return 0
    return unread_notices(user_id, machines=machines, rights=rights).count()


def mark_read(user_id: int, *, machines: Iterable[type[Noticed]] | None = None, rights: Collection[str] = ()) -> int:
    """The person has read all of their notices; returns how many were new."""
    return unread_notices(user_id, machines=machines, rights=rights).update(read_at=Now())


def is_told_already(notice: FailureNotice) -> bool:
    """Whether an earlier mail tells the person what to mend, and they have not done so: some of its records still wait."""
    # What the person mends once for all records: a banner asks for it on every page, and one mail is enough until then.
    if not failure_of(notice.reason).for_others:
        return False
    machine = machine_of(notice)
    earlier = FailureNotice.objects.filter(
        initiated_by=notice.initiated_by,
        right=notice.right,
        record_type=notice.record_type,
        reason=notice.reason,
        state__in=TELLING,
        pk__lt=notice.pk,
    )
    return _still_failed(machine).filter(failure_code=notice.reason, failure_notice__in=earlier).exists()


def _for(user_id: int, rights: Collection[str]) -> Q:
    mine = Q(initiated_by=user_id)
    return mine | Q(right__in=rights) if rights else mine


def _still_failed(machine: type[Noticed]) -> QuerySet[Any]:
    return machine._default_manager.filter(machine.still_told())


def _count_failed(machine: type[Noticed], notices: list[Any]) -> None:
    failed = _still_failed(machine).filter(failure_notice__in=notices).order_by()
    rows = failed.values_list("failure_notice").annotate(count=Count("pk"), example=Max("pk")) if notices else []
    counted = {notice: (count, example) for notice, count, example in rows}
    of_those = machine._default_manager.select_related("initiated_by")
    examples = of_those.in_bulk([example for _, example in counted.values()])
    for notice in notices:
        notice.failed_count, example = counted.get(notice.pk, (0, None))
        notice.example = examples.get(example)


def _has_failed(machine: type[Noticed]) -> Q:
    failed = _still_failed(machine).filter(failure_notice=OuterRef("pk"))
    return Q(Exists(failed), record_type=machine._meta.label_lower)
