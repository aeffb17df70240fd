"""`{% load lists %}`: what the lists of records need beside the admin's own tags."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django import template
from django.contrib.admin.templatetags.admin_list import result_list
from django.contrib.auth.models import User

if TYPE_CHECKING:
    from django.db.models.options import Options

    from console.machine.change_list import MachineChangeList

register = template.Library()


@register.filter
def word_for(opts: "Options[Any]", count: int) -> str:
    """What so many records are called."""
    return str(opts.verbose_name if count == 1 else opts.verbose_name_plural)


@register.filter
def beside(results: Iterable[Any], records: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Each row's cells with its record."""
    return zip(results, records, strict=True)


@register.inclusion_tag("console/machine/results.html")
def machine_rows(listed: "MachineChangeList") -> dict[str, Any]:
    """The table, whose rows can be found again."""
    return result_list(listed)


@register.simple_tag
def poll_url(listed: "MachineChangeList", user: User) -> str:
    """Where the rows are asked for anew; empty if nothing will change by itself."""
    return listed.poll_url(user) if listed.is_followed else ""
