"""Links to the console's own pages, for who may open them."""

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse

# What an address narrows a list by to the runs of one person, and to those that began by themselves.
STARTED_BY, NOBODY = "initiated_by__id__exact", "nobody"


def address_of(model: type[Model], page: str) -> str:
    """The name of the address of one of the pages of such records."""
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def page_of(record: Model) -> str:
    """The record's page in the console."""
    return reverse(address_of(type(record), "change"), args=[record.pk])


def right_to_see(model: type[Model]) -> str:
    """The permission that a person needs to look at such records."""
    return f"{model._meta.app_label}.{get_permission_codename('view', model._meta)}"


def record_url(record: Model, user: User) -> str:
    """The record's page in the console; empty for who may not look at it."""
    opts = record._meta
    rights = [f"{opts.app_label}.{get_permission_codename(right, opts)}" for right in ("view", "change")]
    return page_of(record) if any(user.has_perm(right) for right in rights) else ""
