import json
import os
import re
import secrets
import subprocess
from dataclasses import dataclass

import pytest
from cryptography.fernet import Fernet

from core.local.servers import ROOT
from core.settings.base import STATIC_ROOT
from tests.core.conftest import Manage
from tests.forking import Forks

pytestmark = pytest.mark.process

SECRETS = [
    "SECRET_KEY",
    "TOKEN_ENCRYPTION_KEYS",
    "ALLOWED_HOSTS",
    "DROPBOX_APP_KEY",
    "DROPBOX_APP_SECRET",
    "DATABASE_URL",
    "REDIS_URL",
    "DOCUMENTS_DIRECTORY",
]


def filled_in() -> dict[str, str]:
    """.env.example with a value wherever it leaves one out, the two addresses and the folder that compose adds, and secrets."""
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    return {
        **{name: value or secrets.token_urlsafe(48) for name, value in example.items()},
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DROPBOX_APP_SECRET": secrets.token_urlsafe(12),
        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "postgresql://runsheet:password@postgres.example:5432/runsheet",
        "REDIS_URL": "rediss://:password@redis.example:6379/0",
        "DOCUMENTS_DIRECTORY": "/srv/documents",
        "DJANGO_SETTINGS_MODULE": "core.settings.production",
        "PATH": os.environ["PATH"],
    }


@pytest.fixture(scope="module")
def collected(prepared: Forks) -> None:
    """Pages of production name their files by what `collectstatic` has found."""
    if not (STATIC_ROOT / "staticfiles.json").exists():
        done = prepared.run("python", "manage.py", "collectstatic", "--no-input", environment=filled_in())
        assert done.returncode == 0, done.stderr


# What needs no database: who is not logged in has no session, and is led to the login.
ASK = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
answers = []
for path, secure in json.loads(sys.argv[1]):
    answer = Client().get(path, secure=secure, headers={"host": settings.ALLOWED_HOSTS[0]})
    answers.append([answer.status_code, dict(answer.headers)])
values = [repr(getattr(settings, name)) for name in json.loads(sys.argv[2])]
print(json.dumps([answers, values]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Production:
    """What a process of production answers, by path and over https or not, and what some of its settings are."""

    answers: dict[tuple[str, bool], tuple[int, dict[str, str]]]
    values: dict[str, str]


COOKIES = ("SESSION", "CSRF")
OF_COOKIES = ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "DOMAIN", "PATH")
VALUES = (
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_AGE",
    *(f"{cookie}_COOKIE_{name}" for cookie in COOKIES for name in OF_COOKIES),
)
OTHERWISE = {"SECURE_SSL_REDIRECT": "no", "SESSION_HOURS": "2", "ADMIN_PATH": "back/office"}


def asked(prepared: Forks, *paths: tuple[str, bool], **environment: str) -> Production:
    """One process for all that is asked of an environment."""
    command = ("python", "-c", ASK, json.dumps(paths), json.dumps(VALUES))
    done = prepared.run(*command, environment=filled_in() | environment)
    assert done.returncode == 0, done.stderr
    answers, values = json.loads(done.stdout.splitlines()[-1])
    return Production(
        answers={path: tuple(answer) for path, answer in zip(paths, answers, strict=True)},
        values=dict(zip(VALUES, values, strict=True)),
    )


@pytest.fixture(scope="module")
def production(prepared: Forks) -> Production:
    """As .env.example leaves it."""
    return asked(prepared, ("/admin/", True), ("/admin/", False), SECURE_SSL_REDIRECT="YES")


@pytest.fixture(scope="module")
def otherwise(prepared: Forks, collected: None) -> Production:
    """As it may be told to be."""
    paths = [(path, True) for path in ("/", "/back/office/leases/lease/", "/dropbox/", "/admin/", "/back/")]
    return asked(prepared, *paths, **OTHERWISE)


class TestProduction:
    def test_passes_the_check_for_deployment(self, manage: Manage) -> None:
        done = manage("check", "--deploy", "--fail-level", "INFO", environment=filled_in())

        assert done.stderr + done.stdout == "System check identified no issues (0 silenced).\n"

    @pytest.mark.parametrize("name", SECRETS)
    def test_refuses_to_start_without(self, manage: Manage, name: str) -> None:
        environment = filled_in() | {name: ""}

        done = manage("check", environment=environment)

        assert done.returncode == 1
        assert done.stderr == f"{name} is not set. Set it in the environment or in .env; see docs/operations.md.\n"

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("SECURE_SSL_REDIRECT", "true", "SECURE_SSL_REDIRECT must be yes or no, not 'true'."),
            (
                "CONSOLE_URL",
                "http://runsheet.example.com",
                "CONSOLE_URL may use plain http on loopback only; use https.",
            ),
            (
                "TOKEN_ENCRYPTION_KEYS",
                "k3y",
                (
                    "TOKEN_ENCRYPTION_KEYS must hold keys of 32 bytes each in URL-safe base64, separated by commas; see "
                    "docs/operations.md."
                ),
            ),
            (
                "ALLOWED_HOSTS",
                ".example.com",
                "CONSOLE_URL is not set. Set it in the environment or in .env; see docs/operations.md.",
            ),
        ],
    )
    def test_refuses_to_start_with(self, manage: Manage, name: str, value: str, sentence: str) -> None:
        done = manage("check", environment=filled_in() | {name: value})

        assert (done.returncode, done.stderr) == (1, sentence + "\n")

    def test_redirects_as_it_is_told(self, production: Production, otherwise: Production) -> None:
        assert [each.values["SECURE_SSL_REDIRECT"] for each in (production, otherwise)] == ["True", "False"]

    def test_starts_with_what_the_image_is_built_with(self, manage: Manage) -> None:
        build = re.search(
            r"^RUN (SECRET_KEY=(?:.|\\\n)*?) python manage\.py", (ROOT / "Dockerfile").read_text(), re.MULTILINE
        )
        assert build
        given = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "core.settings.production"}
        told = subprocess.run(
            ["sh", "-c", f"{build[1]} env"], env=given, capture_output=True, text=True, check=True
        ).stdout.splitlines()

        done = manage("check", environment=dict(line.split("=", 1) for line in told))

        assert (done.returncode, done.stderr) == (0, "")

    def test_tells_browsers_to_come_by_https_only(self, production: Production) -> None:
        status, headers = production.answers["/admin/", True]
        redirected, elsewhere = production.answers["/admin/", False]

        assert (status, headers["Location"]) == (302, "/admin/login/?next=/admin/")
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert (redirected, elsewhere["Location"]) == (301, "https://runsheet.example.com/admin/")

    def test_tells_browsers_what_pages_may_do(self, production: Production) -> None:
        _, headers = production.answers["/admin/", True]

        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src 'self'; " in headers["Content-Security-Policy"]
        assert "form-action 'self' https://www.dropbox.com; " in headers["Content-Security-Policy"]

    @pytest.mark.parametrize("cookie", COOKIES)
    def test_sends_cookies_that_only_this_host_sets_and_no_script_reads(
        self, production: Production, cookie: str
    ) -> None:
        found = [production.values[f"{cookie}_COOKIE_{name}"] for name in OF_COOKIES]

        assert found == [f"'__Host-{cookie.lower().removesuffix('_cookie')}'", "True", "True", "'Lax'", "None", "'/'"]

    def test_lets_sessions_end_after_half_a_day(self, production: Production, otherwise: Production) -> None:
        assert [each.values["SESSION_COOKIE_AGE"] for each in (production, otherwise)] == ["43200", "7200"]

    def test_answers_where_the_console_was_put_and_nowhere_else(self, otherwise: Production) -> None:
        found = {path: (status, headers.get("Location")) for (path, _), (status, headers) in otherwise.answers.items()}

        assert found == {
            "/": (302, "/back/office/"),
            "/back/office/leases/lease/": (302, "/back/office/login/?next=/back/office/leases/lease/"),
            "/dropbox/": (302, "/back/office/login/?next=/dropbox/"),
            "/admin/": (404, None),
            "/back/": (404, None),
        }
