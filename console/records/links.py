"""Links to the console's own pages, for who may open them."""

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse


def page_of(record: Model) -> str:
    """The record's page in the console."""
    opts = record._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[record.pk])


def record_url(record: Model, user: User) -> str:
    """The record's page in the console; empty for who may not look at it."""
    opts = record._meta
    rights = [f"{opts.app_label}.{get_permission_codename(right, opts)}" for right in ("view", "change")]
    return page_of(record) if any(user.has_perm(right) for right in rights) else ""
