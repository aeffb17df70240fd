from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django_migration_linter import MigrationLinter

from core.local.servers import ROOT

# In the order in which they build on each other.
OURS = ["statemachine", "console", "cloud", "api", "storage", "leases", "documents", "discovery", "core"]

# What the linter takes for a fault and is none, with who shows that: tests/statemachine/test_log_months.py, and the upgrade
# in tests/chaos, where a program of the version before goes on working.
EXPLAINED = {
    "0002_log_month": "the column is dropped on the way back only",
    "0006_log_by_month": "the table gets another name, and one of its old name stands before it, in one transaction; "
    "indexes and constraints are made on tables that are empty",
}


@pytest.mark.matrix
@pytest.mark.django_db
class TestMigrations:
    def test_are_all_looked_at(self) -> None:
        here = {each.label for each in apps.get_app_configs() if Path(each.path).parent == ROOT}

        assert set(OURS) == {label for label in here if (ROOT / label / "migrations").exists()}

    def test_say_all_that_the_models_say(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())

    def test_hold_nothing_that_an_old_version_still_running_would_trip_over(self) -> None:
        linter = MigrationLinter(include_apps=OURS, ignore_name=list(EXPLAINED), no_cache=True, no_output=True)

        linter.lint_all_migrations()

        assert linter.nb_total > 0
        assert linter.nb_erroneous == 0

    def test_that_follow_the_first_keep_nobody_waiting_and_can_be_taken_back(self) -> None:
        """What the linter only warns of, since it is no fault where the table is new: an index that is not made CONCURRENTLY, for one."""
        linter = MigrationLinter(
            include_apps=OURS,
            ignore_name=list(EXPLAINED),
            ignore_initial_migrations=True,
            all_warnings_as_errors=True,
            no_cache=True,
            no_output=True,
        )

        linter.lint_all_migrations()

        assert linter.nb_erroneous == 0


@pytest.mark.matrix  # each migration, both ways
@pytest.mark.django_db(transaction=True)
class TestMigratingBackAndForth:
    def test_ends_where_it_began(self) -> None:
        before = set(connection.introspection.table_names())

        for app in reversed(OURS):
            call_command("migrate", app, "zero", verbosity=0)
        ours = {model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()}
        without = set(connection.introspection.table_names())
        call_command("migrate", verbosity=0)

        assert without.isdisjoint(ours)
        assert set(connection.introspection.table_names()) == before
