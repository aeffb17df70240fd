"""Where documents lie is said by the environment, and what cannot be right is one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.utils.module_loading import import_string

from core.settings import documents
from storage.backends import documents as configured
from storage.backends.local import LocalStorage

KEY = json.dumps({"client_email": "a@example.com", "private_key": "k", "token_uri": "https://example.com/token"})
COMPLETE: dict[str, dict[str, str]] = {
    "local": {"DOCUMENTS_DIRECTORY": "/srv/documents"},
    "s3": {"DOCUMENTS_S3_BUCKET": "b"},
    "azure": {
        "DOCUMENTS_AZURE_CONTAINER": "c",
        "DOCUMENTS_AZURE_ACCOUNT": "a",
        "DOCUMENTS_AZURE_ACCOUNT_KEY": "c2VjcmV0",
    },
    "gcs": {"DOCUMENTS_GCS_BUCKET": "b", "DOCUMENTS_GCS_CREDENTIALS": KEY},
}

type Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    def read(local_directory: str | None = None, **given: str) -> dict[str, Any]:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        return documents.storage(local_directory=local_directory)

    return read


class TestStorage:
    @pytest.mark.parametrize("kind", COMPLETE)
    def test_is_the_one_that_is_named_and_takes_its_options(self, read: Read, kind: str) -> None:
        found = read(DOCUMENTS_STORAGE=kind.upper(), **COMPLETE[kind])

        made = import_string(found["BACKEND"])(**found["OPTIONS"])
        assert type(made).__name__.casefold() == f"{kind}storage"

    @pytest.mark.parametrize(
        ("kind", "missing"), [(kind, name) for kind, complete in COMPLETE.items() for name in complete]
    )
    def test_names_what_is_missing(self, read: Read, kind: str, missing: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"^{missing} is not set"):
            read(DOCUMENTS_STORAGE=kind, **(COMPLETE[kind] | {missing: ""}))

    def test_is_a_disk_where_nothing_is_said(self, read: Read) -> None:
        found = read("/checkout/.local/documents")

        assert found["OPTIONS"] == {
            "directory": "/checkout/.local/documents",
            "is_made": True,
            "free_bytes": 1_000_000_000,
        }

    def test_makes_no_folder_that_somebody_has_named(self, read: Read) -> None:
        found = read("/checkout/.local/documents", DOCUMENTS_DIRECTORY="/mnt/disk", DOCUMENTS_FREE_MB="0")

        assert found["OPTIONS"] == {"directory": "/mnt/disk", "is_made": False, "free_bytes": 0}

    def test_says_which_packages_are_missing(self, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(documents.PACKAGES, "s3", "no_such_package")

        with pytest.raises(ImproperlyConfigured, match=r"needs packages .*: those of requirements-objects\.txt\.$"):
            read(DOCUMENTS_STORAGE="s3", **COMPLETE["s3"])

    @pytest.mark.parametrize(
        ("kind", "given", "sentence"),
        [
            ("floppy", {}, "DOCUMENTS_STORAGE must be local or s3 or azure or gcs, not 'floppy'."),
            (
                "local",
                {"DOCUMENTS_DIRECTORY": "documents"},
                "DOCUMENTS_DIRECTORY must be a path from the top, such as /srv/documents, not 'documents'.",
            ),
            (
                "s3",
                {"DOCUMENTS_S3_ACCESS_KEY_ID": "k"},
                (
                    "DOCUMENTS_S3_ACCESS_KEY_ID and DOCUMENTS_S3_SECRET_ACCESS_KEY belong together: set both, or neither to "
                    "use the rights of the machine."
                ),
            ),
            (
                "s3",
                {"DOCUMENTS_S3_ENDPOINT_URL": "http://objects.example.com"},
                "DOCUMENTS_S3_ENDPOINT_URL may use plain http on loopback only; use https.",
            ),
            (
                "s3",
                {"DOCUMENTS_S3_ENDPOINT_URL": "https://k3y:s3cret@objects.example.com"},
                "DOCUMENTS_S3_ENDPOINT_URL must name a host and at most a path, such as https://objects.example.com.",
            ),
            (
                "azure",
                {"DOCUMENTS_AZURE_ACCOUNT_KEY": "s3cret!"},
                "DOCUMENTS_AZURE_ACCOUNT_KEY must be in base64; see docs/operations.md.",
            ),
            *(
                (
                    "gcs",
                    {"DOCUMENTS_GCS_CREDENTIALS": value},
                    (
                        "DOCUMENTS_GCS_CREDENTIALS must be the key of a service account as Google gives it, in JSON; see "
                        "docs/operations.md."
                    ),
                )
                for value in ("s3cret", '{"private_key": "s3cret"}', '["s3cret"]')
            ),
        ],
    )
    def test_refuses_what_cannot_be_right_without_repeating_secrets(
        self, read: Read, kind: str, given: dict[str, str], sentence: str
    ) -> None:
        with pytest.raises(ImproperlyConfigured) as refusal:
            read(DOCUMENTS_STORAGE=kind, **(COMPLETE.get(kind, {}) | given))

        assert str(refusal.value) == sentence

    def test_takes_plain_http_on_this_machine(self, read: Read) -> None:
        found = read(DOCUMENTS_STORAGE="s3", DOCUMENTS_S3_ENDPOINT_URL="http://127.0.0.1:8333/", **COMPLETE["s3"])

        assert found["OPTIONS"]["endpoint_url"] == "http://127.0.0.1:8333"


class TestASecretInAFile:
    def test_is_read(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("c2VjcmV0\n")
        given = COMPLETE["azure"] | {
            "DOCUMENTS_AZURE_ACCOUNT_KEY": "",
            "DOCUMENTS_AZURE_ACCOUNT_KEY_FILE": str(tmp_path / "key"),
        }

        assert read(DOCUMENTS_STORAGE="azure", **given)["OPTIONS"]["account_key"] == "c2VjcmV0"

    def test_that_is_needed_and_empty_stops_the_start(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "key").touch()
        given = COMPLETE["azure"] | {
            "DOCUMENTS_AZURE_ACCOUNT_KEY": "",
            "DOCUMENTS_AZURE_ACCOUNT_KEY_FILE": str(tmp_path / "key"),
        }

        with pytest.raises(
            ImproperlyConfigured, match=f"^DOCUMENTS_AZURE_ACCOUNT_KEY_FILE names {tmp_path}/key, which is empty.$"
        ):
            read(DOCUMENTS_STORAGE="azure", **given)

    def test_that_may_be_missing_may_be_empty(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "key").touch()
        given = COMPLETE["s3"] | {"DOCUMENTS_S3_SECRET_ACCESS_KEY_FILE": str(tmp_path / "key")}

        assert not read(DOCUMENTS_STORAGE="s3", **given)["OPTIONS"]["secret_access_key"]


class TestWhatIsConfigured:
    def test_is_the_documents_storage(self) -> None:
        assert configured() is storages["documents"]
        assert isinstance(configured(), LocalStorage)


class TestScanner:
    @pytest.mark.parametrize("address", ["", "tcp://clamav:3310", "unix:///run/clamav/clamd.ctl"])
    def test_is_where_clamav_listens(self, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        monkeypatch.setenv("DOCUMENTS_SCANNER", address)

        assert documents.scanner("DOCUMENTS_SCANNER") == address

    @pytest.mark.parametrize(
        "address", ["clamav:3310", "tcp://clamav", "tcp://a:b@clamav:3310", "unix://clamd.ctl", "http://clamav:1"]
    )
    def test_is_no_other_kind_of_address(self, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
        monkeypatch.setenv("DOCUMENTS_SCANNER", address)

        with pytest.raises(ImproperlyConfigured, match=r"^DOCUMENTS_SCANNER must"):
            documents.scanner("DOCUMENTS_SCANNER")


class TestDelivery:
    def test_is_by_this_server_if_nothing_is_said(self) -> None:
        assert documents.delivery() == ("stream", "X-Accel-Redirect", "/documents-files/")

    def test_is_as_it_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCUMENTS_DELIVERY", "internal")
        monkeypatch.setenv("DOCUMENTS_INTERNAL_HEADER", "X-Sendfile")
        monkeypatch.setenv("DOCUMENTS_INTERNAL_PREFIX", "/srv/documents/")

        assert documents.delivery() == ("internal", "X-Sendfile", "/srv/documents/")

    def test_is_not_by_a_web_server_that_cannot_reach_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DOCUMENTS_DELIVERY", "internal")
        monkeypatch.setenv("DOCUMENTS_STORAGE", "s3")

        with pytest.raises(ImproperlyConfigured, match="take “signed” for an object store"):
            documents.delivery()
