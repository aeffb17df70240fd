"""`{% load console %}`: what a state, an instant and a duration look like, and what of the frame asks the database."""

from django import template

from leases import display

register = template.Library()

register.simple_tag(display.state_badge)
register.simple_tag(display.sign)
register.simple_tag(display.ago)
register.simple_tag(display.countdown)
