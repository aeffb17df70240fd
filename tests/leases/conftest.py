"""Nothing here reaches a worker: the doorbell rings into an empty Redis."""

import pytest
from django.contrib.auth.models import Permission, User
from redis import Redis


@pytest.fixture(autouse=True)
def _empty_redis(redis: Redis) -> None: ...


@pytest.fixture
def viewer(db: None) -> User:
    """May look, and nothing else."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_lease"))
    return user
