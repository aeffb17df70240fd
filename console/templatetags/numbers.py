"""`{% load numbers %}`: numbers as people read them."""

from django import template

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """4987 as “4,987”."""
    return f"{number:,}"
