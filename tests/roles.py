"""People by what they may do, as the migration has made the roles."""

from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

ROLES = ("Viewer", "Operator", "Administrator")


def migrate_roles() -> None:
    """Undo and redo the migrations that make roles, without what Django does after all migrations."""
    MigrationExecutor(connection).migrate([("core", None)])
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("core"))


def in_role(name: str) -> User:
    """Staff with this role and nothing else; the name is the password, too."""
    user = User.objects.create_user(name.lower(), password=name.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user
