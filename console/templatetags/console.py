"""`{% load console %}`: what a state, an instant and a duration look like, and what stands in the frame of every page."""

import re
from typing import Any

from django import template
from django.template import Context, Node, NodeList
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from console.machine import badges
from console.shell import navigation, times
from console.shell.navigation import Entry

register = template.Library()

# What RQ calls its pages where one is.
QUEUES = ">Django RQ</a>"

register.simple_tag(badges.state_badge)
register.simple_tag(badges.sign)
register.simple_tag(badges.mark)
register.simple_tag(times.ago)
register.simple_tag(times.countdown)


@register.inclusion_tag("console/nav.html", takes_context=True)
def console_nav(context: dict[str, Any]) -> dict[str, Any]:
    """The places that the person may go to."""
    request = context.get("request")
    return {"items": navigation.entries(request)} if request is not None else {}


@register.simple_tag(takes_context=True)
def place(context: dict[str, Any]) -> Entry | None:
    """The place of the navigation that the page belongs to."""
    return navigation.place_of(context["request"])


@register.simple_tag(takes_context=True)
def console_corner(context: dict[str, Any]) -> SafeString:
    """What stands at the top right, before the person's name."""
    request = context.get("request")
    return (
        format_html_join("\n", "{}", ((piece,) for piece in navigation.corner(request) if piece))
        if request
        else SafeString()
    )


@register.simple_tag(takes_context=True)
def console_banners(context: dict[str, Any]) -> SafeString:
    """What stands above the content of every page."""
    request = context.get("request")
    return (
        format_html_join("\n", "{}", ((piece,) for piece in navigation.banners(request) if piece))
        if request
        else SafeString()
    )


@register.inclusion_tag("console/keys.html", takes_context=True)
def console_keys(context: dict[str, Any]) -> dict[str, Any]:
    """The list of keys."""
    request = context.get("request")
    return {"keys": navigation.keys(request) if request is not None else ()}


class Trail(Node):
    """The way to a page that Django or RQ has made, in the words of the main navigation."""

    def __init__(self, way: NodeList) -> None:
        self._way = way

    def render(self, context: Context) -> SafeString:
        named = self._way.render(context).replace(">Home</a>", ">Start</a>")
        if QUEUES in named:
            named = named.replace(QUEUES, ">Queues</a>")
            found = navigation.place_of(context["request"])
            above = format_html('<a href="{}">{}</a> &rsaquo; ', found.url, found.label) if found else ""
            named = re.sub(r'(<a href="[^"]*">Queues</a>)', rf"{above}\1", named, count=1)
        return mark_safe(named)  # noqa: S308 - safe before; what is added is ours


@register.tag
def trail(parser: template.base.Parser, _token: template.base.Token) -> Trail:
    """`{% trail %}…{% endtrail %}`; see `Trail`."""
    way = parser.parse(("endtrail",))
    parser.delete_first_token()
    return Trail(way)
