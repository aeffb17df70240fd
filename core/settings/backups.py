"""How backups are made, out of the environment."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.settings import environment
from core.settings.documents import S3_ADDRESSING


def s3() -> dict[str, Any]:
    """What `S3Storage` needs beside the bucket, for backups in one.

    Raises:
        ImproperlyConfigured: something cannot be right.
    """
    found = {
        "region": environment.text("BACKUP_S3_REGION", " ").strip(),
        "endpoint_url": environment.endpoint("BACKUP_S3_ENDPOINT_URL"),
        "access_key_id": environment.text("BACKUP_S3_ACCESS_KEY_ID", " ").strip(),
        "secret_access_key": environment.confidential("BACKUP_S3_SECRET_ACCESS_KEY", ""),
        "addressing": environment.choice("BACKUP_S3_ADDRESSING", "virtual", among=S3_ADDRESSING),
    }
    if bool(found["access_key_id"]) != bool(found["secret_access_key"]):
        raise ImproperlyConfigured(
            "BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY belong together: set both, or neither to use the rights of the "
            "machine."
        )
    return found


def programs() -> str:
    """The folder with PostgreSQL's own programs; empty: they are looked for.

    Raises:
        ImproperlyConfigured: it depends on where a program was started.
    """
    named = environment.text("BACKUP_POSTGRES_BIN", " ").strip()
    return environment.directory("BACKUP_POSTGRES_BIN", None) if named else ""
