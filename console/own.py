"""What the console shows by itself, whichever apps there are."""

from django.contrib import admin
from django_rq.models import Dashboard

from console.machine import rq_pages
from console.machine.dashboard import GuardedQueueAdmin
from console.machine.transition_log import TransitionLogAdmin
from statemachine.models import TransitionLog


def declare() -> None:
    """Put it in the console, once the apps are there."""
    rq_pages.change_nothing()
    admin.site.register(TransitionLog, TransitionLogAdmin)
    admin.site.register(Dashboard, GuardedQueueAdmin)
