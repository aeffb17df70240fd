"""What a person may do with records; asked in every service, since not every way to one has a button."""

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User

from statemachine.errors import TransitionForbidden

VERBS = {"add": "create", "change": "change", "delete": "delete", "view": "see"}


def require(user: User, *permissions: str) -> None:
    """Go on only if the person may do all of it; who is switched off may do nothing.

    Raises:
        TransitionForbidden: naming what is lacking.
    """
    for permission in permissions:
        if not user.has_perm(permission):
            raise TransitionForbidden(
                f"You do not have the permission to {_meaning(permission)}. Ask an administrator."
            )


def _meaning(permission: str) -> str:
    """What it allows, in words: those of the model that has it."""
    app, _, codename = permission.partition(".")
    meanings = {}
    for model in apps.get_app_config(app).get_models():
        opts = model._meta
        for action in opts.default_permissions:
            meanings[get_permission_codename(action, opts)] = f"{VERBS[action]} {opts.verbose_name_plural}"
        meanings |= {name: str(words).removeprefix("Can ") for name, words in opts.permissions}
    return meanings[codename]
