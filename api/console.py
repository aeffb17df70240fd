"""What the console shows of the interface for programs: read like a table, and said once the apps are there."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest

from api.admin import own_tokens
from api.admin.sent import TELLINGS
from api.admin.tokens import ApiTokenAdmin
from api.models import ApiToken
from console.records import sent
from console.shell import navigation, people
from console.shell.navigation import Frame
from console.shell.people import Farewell

LISTS = {ApiToken: ApiTokenAdmin}

FRAME = Frame(
    belongs={"admin:auth_user_changelist": ("api/apitoken/",)},
    own={30: own_tokens.link},
)


def _nothing(_request: HttpRequest, _person: User) -> None:
    """Whose tokens go with the person, has nobody to be told."""


def declare() -> None:
    """Put it in the console."""
    for model, shown in LISTS.items():
        admin.site.register(model, shown)
    navigation.put("api", FRAME)
    people.put_beside("API tokens", "admin:api_apitoken_changelist", "api.view_apitoken")
    people.say_farewell(Farewell(before=_nothing, goes_along=(ApiToken,)))
    sent.tell(TELLINGS)
