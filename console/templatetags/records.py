"""`{% load records %}`: a list that can be read where there is no room for a table."""

from collections.abc import Iterator, Mapping, Sequence

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

register = template.Library()


@register.filter
def labelled(cells: Sequence[SafeString], headers: Sequence[Mapping[str, str]]) -> Iterator[SafeString]:
    """The cells of a row, each with its column's heading, which is shown before it on a telephone.

    Django hands over each cell as finished HTML, its tag included, and has no place for an attribute. So it is put in behind
    the tag's name.
    """
    for cell, header in zip(cells, headers, strict=False):
        heading = "" if "<" in str(header["text"]) else escape(capfirst(header["text"]))
        begin = cell[: len("<td")]
        named = f'{begin} data-label="{heading}"{cell[len(begin) :]}' if begin in ("<td", "<th") and heading else cell
        yield mark_safe(named)  # noqa: S308 - safe before; what is added is escaped
