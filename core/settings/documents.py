"""Where documents lie, out of the environment: what `STORAGES["documents"]` is made with."""

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from core.settings import environment

if TYPE_CHECKING:
    from collections.abc import Callable

# The package that each needs beside the product's own.
PACKAGES = {"s3": "boto3", "azure": "azure.storage.blob", "gcs": "google.cloud.storage"}
KINDS = ("local", *PACKAGES)
# Before the names of the variables of the place that files are moved to, where it is of the same kind.
SECOND = "NEW_"
S3_ADDRESSING = ("virtual", "path")
DELIVERIES = ("stream", "internal", "signed")
INTERNAL_HEADERS = ("X-Accel-Redirect", "X-Sendfile")
MB = 1_000_000


def storage(*, local_directory: str | None) -> dict[str, Any]:
    """Django's settings for the place that DOCUMENTS_STORAGE names.

    Args:
        local_directory: where documents lie on this machine if nothing is said; it is made. None: it has to be said.

    Raises:
        ImproperlyConfigured: something is missing or cannot be right.
    """
    return _place(
        environment.choice("DOCUMENTS_STORAGE", "local", among=KINDS), local_directory=local_directory, before=""
    )


def place(kind: str, *, is_second: bool = False) -> dict[str, Any]:
    """The same for a place of that kind, whatever DOCUMENTS_STORAGE names: the one that files are moved from or to.

    Args:
        kind: one of `KINDS`.
        is_second: another one of the same kind, whose variables begin with `SECOND`.

    Raises:
        ImproperlyConfigured: something is missing or cannot be right.
    """
    return _place(kind, local_directory=None, before=SECOND if is_second else "")


def _place(kind: str, *, local_directory: str | None, before: str) -> dict[str, Any]:
    kinds: dict[str, Callable[[str], dict[str, Any]]] = {"s3": _s3, "azure": _azure, "gcs": _gcs}
    free_bytes = MB * environment.whole_number("DOCUMENTS_FREE_MB", 1_000, maximum=1_000_000_000)
    if kind == "local":
        return _local(local_directory, free_bytes=free_bytes, before=before)
    if find_spec(PACKAGES[kind]) is None:
        raise ImproperlyConfigured(
            f"DOCUMENTS_STORAGE={kind} needs packages that are not installed: those of requirements-objects.txt."
        )
    return {"BACKEND": f"storage.backends.{kind}.{kind.capitalize()}Storage", "OPTIONS": kinds[kind](before)}


def delivery() -> tuple[str, str, str]:
    """Who sends documents, the header by which the web server is told to, and what it puts before their paths.

    Raises:
        ImproperlyConfigured: the web server cannot reach them.
    """
    way = environment.choice("DOCUMENTS_DELIVERY", "stream", among=DELIVERIES)
    if way == "internal" and environment.text("DOCUMENTS_STORAGE", "local") != "local":
        raise ImproperlyConfigured(
            "DOCUMENTS_DELIVERY=internal needs documents on a disk of this machine; take “signed” for an object store."
        )
    header = environment.choice("DOCUMENTS_INTERNAL_HEADER", "X-Accel-Redirect", among=INTERNAL_HEADERS)
    return way, header, environment.text("DOCUMENTS_INTERNAL_PREFIX", "/documents-files/")


def scanner(name: str) -> str:
    """The value of a variable as the address at which ClamAV listens; may be empty.

    Raises:
        ImproperlyConfigured: it is no such address.
    """
    value = environment.text(name, " ").strip()
    if not value:
        return ""
    parts = environment.whole_address(name, value, schemes=("tcp", "unix"))
    is_whole = bool(parts.hostname and parts.port) if parts.scheme == "tcp" else parts.path.startswith("/")
    if not is_whole or "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name} must be tcp://host:3310 or unix:///run/clamav/clamd.ctl, not {value!r}.")
    return value


def _local(default: str | None, *, free_bytes: int, before: str) -> dict[str, Any]:
    directory = environment.directory(f"{before}DOCUMENTS_DIRECTORY", default)
    options = {"directory": directory, "is_made": directory == default, "free_bytes": free_bytes}
    return {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": options}


def _s3(before: str) -> dict[str, Any]:
    found = {
        "bucket": environment.text(f"{before}DOCUMENTS_S3_BUCKET"),
        "region": environment.text(f"{before}DOCUMENTS_S3_REGION", " ").strip(),
        "endpoint_url": environment.endpoint(f"{before}DOCUMENTS_S3_ENDPOINT_URL"),
        "access_key_id": environment.text(f"{before}DOCUMENTS_S3_ACCESS_KEY_ID", " ").strip(),
        "secret_access_key": environment.confidential(f"{before}DOCUMENTS_S3_SECRET_ACCESS_KEY", ""),
        "addressing": environment.choice(f"{before}DOCUMENTS_S3_ADDRESSING", "virtual", among=S3_ADDRESSING),
    }
    if bool(found["access_key_id"]) != bool(found["secret_access_key"]):
        raise ImproperlyConfigured(
            f"{before}DOCUMENTS_S3_ACCESS_KEY_ID and {before}DOCUMENTS_S3_SECRET_ACCESS_KEY belong together: set both, or neither to use "
            "the rights of the machine."
        )
    return found


def _azure(before: str) -> dict[str, Any]:
    return {
        "container": environment.text(f"{before}DOCUMENTS_AZURE_CONTAINER"),
        "account": environment.text(f"{before}DOCUMENTS_AZURE_ACCOUNT"),
        "account_key": environment.base64(f"{before}DOCUMENTS_AZURE_ACCOUNT_KEY"),
        "endpoint_url": environment.endpoint(f"{before}DOCUMENTS_AZURE_ENDPOINT_URL"),
    }


def _gcs(before: str) -> dict[str, Any]:
    credentials = environment.confidential(f"{before}DOCUMENTS_GCS_CREDENTIALS")
    try:
        is_account = {"client_email", "private_key", "token_uri"} <= json.loads(credentials).keys()
    except (ValueError, AttributeError):
        is_account = False
    if not is_account:
        raise ImproperlyConfigured(
            f"{before}DOCUMENTS_GCS_CREDENTIALS must be the key of a service account as Google gives it, in JSON; see docs/operations.md."
        )
    return {
        "bucket": environment.text(f"{before}DOCUMENTS_GCS_BUCKET"),
        "credentials": credentials,
        "endpoint_url": environment.endpoint(f"{before}DOCUMENTS_GCS_ENDPOINT_URL"),
    }
