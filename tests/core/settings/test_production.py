import os
import re
import secrets
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from core.servers import ROOT

SECRETS = [
    "SECRET_KEY",
    "TOKEN_ENCRYPTION_KEYS",
    "ALLOWED_HOSTS",
    "DROPBOX_APP_KEY",
    "DROPBOX_APP_SECRET",
    "DATABASE_URL",
    "REDIS_URL",
]


def filled_in() -> dict[str, str]:
    """.env.example with a value wherever it leaves one out, and the two addresses that compose adds."""
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    return {
        **{name: value or secrets.token_urlsafe(48) for name, value in example.items()},
        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": "postgresql://runsheet:password@postgres.example:5432/runsheet",
        "REDIS_URL": "rediss://:password@redis.example:6379/0",
        "DJANGO_SETTINGS_MODULE": "core.settings.production",
        "PATH": os.environ["PATH"],
    }


def manage(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


class TestProduction:
    def test_passes_the_check_for_deployment(self) -> None:
        done = manage("check", "--deploy", "--fail-level", "INFO", environment=filled_in())

        assert done.stderr + done.stdout == "System check identified no issues (0 silenced).\n"

    @pytest.mark.parametrize("name", SECRETS)
    def test_refuses_to_start_without(self, name: str) -> None:
        environment = filled_in() | {name: ""}

        done = manage("check", environment=environment)

        assert done.returncode == 1
        assert done.stderr == f"{name} is not set. Set it in the environment or in .env; see docs/operations.md.\n"

    def test_keeps_its_secrets_out_of_the_repository(self) -> None:
        example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))

        assert {name: example[name] for name in SECRETS[:2] + SECRETS[3:5]} == dict.fromkeys(
            SECRETS[:2] + SECRETS[3:5], ""
        )
