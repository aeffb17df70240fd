"""How PostgreSQL is asked, out of the environment."""

import sys

import pytest
from django.db import connection

from core.settings.postgres import database, program_name
from tests.pooler import unpooled

URL = "postgresql://runsheet@127.0.0.1/runsheet"


class TestProgramName:
    @pytest.mark.parametrize(
        ("argv", "name"),
        [
            (["/srv/lib/gunicorn/__main__.py", "core.wsgi"], "runsheet web"),
            (["/srv/.venv/bin/gunicorn", "core.wsgi"], "runsheet web"),
            (["manage.py", "rqworker-pool", "storage"], "runsheet worker"),
            (["/srv/manage.py", "reconcile"], "runsheet reconciler"),
            (["manage.py", "backup", "/srv/backups"], "runsheet backup"),
            (["manage.py"], "runsheet"),
            (["manage.py", "b" * 64], "runsheet"),
            (["manage.py", "It's"], "runsheet"),
            (["-c"], "runsheet"),
            ([], "runsheet"),
        ],
    )
    def test_is_what_people_call_it(self, argv: list[str], name: str) -> None:
        assert program_name(argv) == name

    @pytest.mark.parametrize("is_pooled", [False, True])
    def test_is_said_to_postgresql(self, monkeypatch: pytest.MonkeyPatch, *, is_pooled: bool) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])

        assert database(URL, is_pooled=is_pooled)["OPTIONS"]["fallback_application_name"] == "runsheet migrate"

    @unpooled
    @pytest.mark.django_db
    @pytest.mark.parametrize(("given", "name"), [({}, "runsheet"), ({"application_name": "night"}, "night")])
    def test_is_what_postgresql_tells_unless_the_address_has_another(self, given: dict[str, str], name: str) -> None:
        own = connection.copy()
        own.settings_dict = {**own.settings_dict, "OPTIONS": {**own.settings_dict["OPTIONS"], **given}}
        with own.cursor() as cursor:
            cursor.execute("SHOW application_name")
            told = cursor.fetchone()
        own.close()

        assert told == (name,)
