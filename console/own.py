"""What the console shows by itself, whichever apps there are."""

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django_rq.models import Dashboard

from console.machine import rq_pages
from console.machine.dashboard import GuardedQueueAdmin
from console.machine.transition_log import TransitionLogAdmin
from console.shell import navigation
from console.shell.navigation import Frame, Key, Place
from console.shell.people import PeopleAdmin, RoleAdmin
from statemachine.models import TransitionLog

LISTS = {
    User: PeopleAdmin,
    Group: RoleAdmin,
    TransitionLog: TransitionLogAdmin,
    Dashboard: GuardedQueueAdmin,
}

FRAME = Frame(
    places=(
        Place(order=0, label="Start", address="admin:index", key="g"),
        Place(
            order=50,
            label="People",
            address="admin:auth_user_changelist",
            right="auth.view_user",
            also=("auth/group/",),
        ),
    ),
    keys=(
        Key(order=10, presses=("g",), words="Start page"),
        Key(order=50, presses=("?",), words="This list"),
        Key(order=60, presses=("Tab", "Enter"), words="Everything that can be done can be reached with these"),
    ),
)


def declare() -> None:
    """Put it in the console, once the apps are there."""
    rq_pages.change_nothing()
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    navigation.put("console", FRAME)
