"""Every setting that is a secret may come in a file, also one that somebody adds tomorrow."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from core.local.servers import ROOT
from tests.core.settings.test_documents import KEY
from tests.core.settings.test_production import filled_in
from tests.forking import Forks

READ = [
    *sorted((ROOT / "core" / "settings").glob("*.py")),
    ROOT / "core" / "local" / "servers.py",
    ROOT / "gunicorn.conf.py",
]
# Each of these looks for the file, too.
TAKE_FILES = {"base64", "confidential", "encryption_keys", "secret", "sentry_dsn"}
LOOKS_SECRET = re.compile(r"(?:_|^)(CREDENTIALS|DSN|KEYS?|PASSWORD|SECRET|TOKEN|URL)$")
# Addresses without a password, which are refused with one, and a key that stands in the address of each consent.
NO_SECRETS = {
    "BACKUP_S3_ENDPOINT_URL",
    "CONSOLE_URL",
    "DOCUMENTS_AZURE_ENDPOINT_URL",
    "DOCUMENTS_GCS_ENDPOINT_URL",
    "DOCUMENTS_S3_ENDPOINT_URL",
    "DROPBOX_APP_KEY",
    "DROPBOX_BASE_URL",
}
VALUES = {
    "BACKUP_S3_SECRET_ACCESS_KEY": "secret-of-backups",
    "DATABASE_PASSWORD": "p@ss",
    "DATABASE_REPLICA_PASSWORD": "r@plica",
    "DATABASE_REPLICA_URL": "postgresql://runsheet@replica.example:5432/runsheet",
    "DATABASE_URL": "postgresql://runsheet@postgres.example:5432/runsheet",
    "DOCUMENTS_AZURE_ACCOUNT_KEY": "c2VjcmV0LW9mLWF6dXJl",
    "DOCUMENTS_GCS_CREDENTIALS": KEY,
    "DOCUMENTS_S3_SECRET_ACCESS_KEY": "secret-of-documents",
    "DROPBOX_APP_SECRET": "secret-of-dropbox",
    "EMAIL_URL": "smtps://user:password@mail.example.com:465",
    "METRICS_TOKEN": "token-of-metrics",
    "REDIS_PASSWORD": "p@ss",
    "REDIS_SENTINEL_PASSWORD": "password-of-sentinels",
    "REDIS_URL": "rediss://runsheet@/0",
    "SECRET_KEY": "secret-key-" * 5,
    "SENTRY_DSN": "https://key@sentry.example/7",
    "TOKEN_ENCRYPTION_KEYS": f"{Fernet.generate_key().decode()},{Fernet.generate_key().decode()}",
}
# Those of which an installation has one, whatever it uses; addresses stand in the environment, with a password beside them.
FILES = sorted(set(VALUES) - {"DATABASE_REPLICA_URL", "DATABASE_URL", "REDIS_URL"})
BESIDE = {
    "BACKUP_S3_ACCESS_KEY_ID": "k",
    "DOCUMENTS_AZURE_ACCOUNT": "a",
    "DOCUMENTS_AZURE_CONTAINER": "c",
    "DOCUMENTS_GCS_BUCKET": "b",
    "DOCUMENTS_S3_ACCESS_KEY_ID": "k",
    "DOCUMENTS_S3_BUCKET": "b",
    "REDIS_SENTINELS": "sentinel.example",
    "REDIS_SENTINEL_SERVICE": "runsheet",
}
TELL = """
import json
from urllib.parse import unquote, urlsplit
from django.conf import settings
from core.settings import documents
options = {kind: documents.place(kind)["OPTIONS"] for kind in documents.PACKAGES}
print(json.dumps({
    "BACKUP_S3_SECRET_ACCESS_KEY": settings.BACKUP_S3["secret_access_key"],
    "DATABASE_PASSWORD": settings.DATABASES["default"]["PASSWORD"],
    "DATABASE_REPLICA_PASSWORD": settings.DATABASES["replica"]["PASSWORD"],
    "DATABASE_REPLICA_URL": settings.DATABASE_REPLICA_URL.replace(":r%40plica@", "@"),
    "DATABASE_URL": settings.DATABASE_URL.replace(":p%40ss@", "@"),
    "DOCUMENTS_AZURE_ACCOUNT_KEY": options["azure"]["account_key"],
    "DOCUMENTS_GCS_CREDENTIALS": options["gcs"]["credentials"],
    "DOCUMENTS_S3_SECRET_ACCESS_KEY": options["s3"]["secret_access_key"],
    "REDIS_PASSWORD": unquote(urlsplit(settings.REDIS_URL).password),
    "REDIS_SENTINEL_PASSWORD": settings.REDIS_SENTINELS.password,
    "REDIS_URL": settings.REDIS_URL.replace(":p%40ss@", "@"),
    "TOKEN_ENCRYPTION_KEYS": ",".join(settings.TOKEN_ENCRYPTION_KEYS),
    **{name: getattr(settings, name) for name in (
        "DROPBOX_APP_SECRET", "EMAIL_URL", "METRICS_TOKEN", "SECRET_KEY", "SENTRY_DSN"
    )},
}))
"""


def reads() -> Iterator[tuple[str, str]]:
    """The name of each variable that is read, and what reads it."""
    for path in READ:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            reader = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if node.args and (name := _name(node.args[0])):
                yield name, reader
            # The password of an address, beside it.
            yield from (
                (name, "confidential") for each in node.keywords if each.arg == "beside" and (name := _name(each.value))
            )


def _name(argument: ast.expr) -> str:
    """Of a variable; of the place that files are moved to, without what stands before."""
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[-1]
    is_name = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return argument.value if is_name and re.fullmatch(r"[A-Z0-9]+_[A-Z0-9_]+", argument.value) else ""  # type: ignore[attr-defined]  # as it says


def in_files(values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables that name a file for each."""
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")
    return {f"{name}_FILE": str(folder / name) for name in values}


class TestSecrets:
    def test_are_all_known_here(self) -> None:
        assert {name for name, reader in reads() if reader in TAKE_FILES} == set(VALUES)

    def test_are_whatever_looks_like_one(self) -> None:
        found = {name for name, _ in reads() if LOOKS_SECRET.search(name)}

        assert found - NO_SECRETS == set(VALUES)

    @pytest.mark.process
    def test_may_each_stand_in_a_file(self, prepared: Forks, tmp_path: Path) -> None:
        given = {name: value for name, value in filled_in().items() if name not in VALUES}

        told = prepared.run("python", "-c", TELL, environment={**given, **BESIDE, **in_files(VALUES, tmp_path)})

        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout) == VALUES

    def test_have_no_place_in_the_example_of_an_environment(self) -> None:
        told = set(re.findall(r"^#?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))

        assert told & set(FILES) == set()
        assert len(told) > 40

    def test_are_named_where_it_is_told_that_they_may(self) -> None:
        text = (ROOT / "docs" / "operations.md").read_text()
        told = re.search(r"### Secrets in files\n(.*?)\n#", text, re.DOTALL)

        assert told
        assert set(re.findall(r"`([A-Z][A-Z0-9_]+)`", told[1])) == set(VALUES)
