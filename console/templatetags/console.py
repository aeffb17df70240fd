"""`{% load console %}`: what a state, an instant and a duration look like, and what stands in the frame of every page."""

from collections.abc import Callable, Iterable
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from console.machine import badges
from console.shell import counters, navigation, times

register = template.Library()

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
def console_corner(context: dict[str, Any]) -> SafeString:
    """What stands at the top right, before the person's name."""
    return _pieces(context, navigation.corner)


@register.simple_tag(takes_context=True)
def console_own(context: dict[str, Any]) -> SafeString:
    """What stands under the person's name."""
    return _pieces(context, navigation.own)


@register.simple_tag(takes_context=True)
def console_banners(context: dict[str, Any]) -> SafeString:
    """What stands above the content of every page."""
    return _pieces(context, navigation.banners)


@register.inclusion_tag("console/keys.html", takes_context=True)
def console_keys(context: dict[str, Any]) -> dict[str, Any]:
    """The list of keys."""
    request = context.get("request")
    return {"keys": navigation.keys(request) if request is not None else ()}


@register.inclusion_tag("console/counters.html", takes_context=True)
def console_counters(context: dict[str, Any]) -> dict[str, Any]:
    """What the apps count on the start page."""
    request = context.get("request")
    return {"counters": counters.counted_for(request.user) if request is not None else ()}


def _pieces(context: dict[str, Any], of: Callable[[HttpRequest], Iterable[SafeString | str]]) -> SafeString:
    """Those of this page; nothing where a template is rendered for no request."""
    request = context.get("request")
    return format_html_join("\n", "{}", ((piece,) for piece in of(request) if piece)) if request else SafeString()
