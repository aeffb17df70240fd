"""What `manage.py doctor` says about settings, keys, folders, connections and e-mail."""

import socketserver
import threading
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis import Redis

from cloud.models import DropboxAccount
from core.ops.doctor import configuration
from leases.models import AgencyStorageConfig, Lease
from tests.core.ops import test_doctor
from tests.core.ops.test_doctor import PATHS, notes, wrong

pytestmark = pytest.mark.django_db(transaction=True)

SMTP = "django.core.mail.backends.smtp.EmailBackend"

# The fixtures of the other parts of what it looks at.
answering, durable_redis, well = test_doctor.answering, test_doctor.durable_redis, test_doctor.well


class TestSettings:
    def test_say_what_the_checks_say(self, settings: Settings) -> None:
        settings.DROPBOX_BASE_URL = "ftp://dropbox.example.com"

        assert any(
            "DROPBOX_BASE_URL must be a scheme and a host" in each for each in wrong(configuration.settings_in_use)
        )

    def test_name_hosts_that_are_not_named(self, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["*"]

        assert any("Name the console's hosts in ALLOWED_HOSTS" in each for each in wrong(configuration.settings_in_use))

    def test_note_those_for_development(self, settings: Settings) -> None:
        settings.DEBUG = True

        assert "those for development (DEBUG)" in notes(configuration.settings_in_use)

    def test_are_right_when_nobody_objects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(configuration, "run_checks", lambda **_: [])

        assert [found.seen for found in configuration.settings_in_use()] == ["those for production"]


class TestEncryptionKeys:
    @pytest.mark.parametrize("keys", [[], ["short"]])
    def test_are_named_when_they_are_none(self, settings: Settings, keys: list[str]) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = keys

        (found,) = wrong(configuration.encryption_keys)

        assert "32 bytes in URL-safe base64" in found

    def test_are_named_when_they_open_nothing(self, well: Redis, settings: Settings) -> None:
        settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

        (found,) = wrong(configuration.encryption_keys)

        assert "The tokens of olivia were encrypted with another key" in found


class TestAgencies:
    def test_are_named_when_their_leases_cannot_be_found(self, olivia: Any) -> None:
        AgencyStorageConfig.objects.create(agency="BLM", enabled=False, **PATHS)
        Lease.objects.create(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        assert notes(configuration.agencies) == ["NMSLO: not configured"]
        assert [found.partition(".")[0] for found in wrong(configuration.agencies)] == ["BLM: switched off"]


class TestConnections:
    def test_name_who_has_to_connect_again(self, well: Redis) -> None:
        DropboxAccount.objects.update(needs_reconnect_reason="Dropbox no longer accepts this connection.")

        (found,) = wrong(configuration.connected_accounts)

        assert found.startswith("olivia has to connect again. Dropbox no longer accepts this connection.")
        assert "connect_dropbox --user olivia" in found

    def test_note_pauses(self, well: Redis) -> None:
        DropboxAccount.objects.update(paused_until=timezone.now() + timedelta(seconds=100))

        (found,) = notes(configuration.connected_accounts)

        assert found.startswith("Dropbox asked for a pause of olivia's account: ")

    def test_note_that_there_are_none(self, transactional_db: None) -> None:
        assert notes(configuration.connected_accounts) == ["nobody has connected Dropbox"]


class TestEmail:
    def test_notes_that_there_is_no_server(self, settings: Settings) -> None:
        settings.HAS_MAIL_SERVER = False

        assert notes(configuration.email) == ["no mail server is set"]

    def test_names_a_server_that_cannot_be_used(self, settings: Settings) -> None:
        settings.HAS_MAIL_SERVER = True
        settings.MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 2}}}

        (found,) = wrong(configuration.email)

        assert found.startswith("the mail server cannot be used (ConnectionRefusedError)")

    def test_is_right_when_the_server_lets_us_in(self, settings: Settings) -> None:
        with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            options = {"host": "127.0.0.1", "port": server.server_address[1], "timeout": 2}
            settings.HAS_MAIL_SERVER = True
            settings.MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": options}}

            assert [found.seen for found in configuration.email()] == ["the mail server lets us in"]


class MailServer(socketserver.StreamRequestHandler):
    """Greets, and says yes to everything."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for _ in self.rfile:
            self.wfile.write(b"250 yes\r\n")
