"""Who imports leases and follows batches, by real requests."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def operator(viewer: User) -> User:
    wanted = Permission.objects.filter(codename__in=["run_discovery", "add_lease", "change_lease"])
    viewer.user_permissions.add(*wanted)
    return viewer


@pytest.fixture
def console(operator: User, client: Client) -> Client:
    client.force_login(operator)
    return client
