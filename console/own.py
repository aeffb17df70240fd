"""What the console shows by itself, whichever apps there are."""

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django_rq.models import Dashboard

from console.machine import badges, rq_pages
from console.machine.badges import TICK, WARNING, Appearance
from console.machine.dashboard import GuardedQueueAdmin
from console.machine.transition_log import TransitionLogAdmin
from console.notices.admin import FailureNoticeAdmin
from console.notices.bell import bell
from console.notices.models import FailureNotice
from console.notices.states import NoticeState
from console.shell import navigation
from console.shell.navigation import Frame, Key, Place
from console.shell.people import PeopleAdmin, RoleAdmin
from statemachine.models import TransitionLog

LISTS = {
    User: PeopleAdmin,
    Group: RoleAdmin,
    TransitionLog: TransitionLogAdmin,
    Dashboard: GuardedQueueAdmin,
    FailureNotice: FailureNoticeAdmin,
}

NOTICE = Appearance(
    machine=FailureNotice,
    name="notice",
    signs={
        NoticeState.GATHERING: "M4 4h8M4 8h8M4 12h5",
        NoticeState.SENDING: "M2 4h12v8H2zM2 4l6 5l6-5",
        NoticeState.SENT: TICK,
        NoticeState.NEEDLESS: "M3 8h10",
        NoticeState.FAILED: WARNING,
    },
)

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
    corner={10: bell},
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
    badges.show(NOTICE)
    navigation.put("console", FRAME)
