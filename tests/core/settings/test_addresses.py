"""Addresses of servers and hosts that would undo a setting stop the start."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from redis import Redis

from core.settings import addresses, base
from dropbox_standin.process import Tls
from tests.dropbox_standin.conftest import tls  # noqa: F401 - a fixture

NAME = "RUNSHEET_TEST_VALUE"
POSTGRESQL = "postgresql://u:s3cret@h:5432/runsheet"


def refusal_of(check: object, *given: str) -> str:
    assert callable(check)
    with pytest.raises(ImproperlyConfigured, match=f"^[^\n]*{NAME}[^\n]*\\.$") as refusal:
        check(NAME, *given)
    assert "s3cret" not in str(refusal.value)
    return str(refusal.value)


class TestDatabase:
    @pytest.mark.parametrize(
        "value",
        [
            POSTGRESQL,
            f"{POSTGRESQL}?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres://postgres@%2Frun%2Fx/runsheet",
            "postgresql:///runsheet?host=/run/postgresql&application_name=runsheet",
        ],
    )
    def test_is_the_value(self, value: str) -> None:
        assert addresses.database(NAME, value) == value

    @pytest.mark.parametrize(
        "option",
        [
            "options=-c%20statement_timeout%3D0",
            "options=-c%20lock_timeout%3D0",
            "connect_timeout=0",
            "keepalives_idle=7200",
            "tcp_user_timeout=0",
            "pool=true",
            "isolation_level=4",
            "server_side_binding=true",
            "currentSchema=other",
            "OPTIONS=x",
        ],
    )
    def test_has_no_option_that_is_a_setting(self, option: str) -> None:
        name = option.partition("=")[0]

        assert "may have no option but application_name, channel_binding, " in refusal_of(
            addresses.database, f"{POSTGRESQL}?{option}"
        )
        assert refusal_of(addresses.database, f"{POSTGRESQL}?sslmode=require&{option}").endswith(f"it has '{name}'.")

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            (
                "sslmode=off",
                f"The option sslmode of {NAME} must be disable or allow or prefer or require or verify-ca or verify-full.",
            ),
            ("sslrootcert=", f"The option sslrootcert of {NAME} must have a value."),
            (
                "target_session_attrs=standby",
                f"The option target_session_attrs of {NAME} must be any or read-write or primary.",
            ),
            ("sslmode=require&sslmode=disable", f"{NAME} has an option twice."),
        ],
    )
    def test_has_no_option_that_cannot_be_right(self, option: str, sentence: str) -> None:
        assert refusal_of(addresses.database, f"{POSTGRESQL}?{option}") == sentence

    @pytest.mark.parametrize(
        "value", ["postgresql://u:s3cret@h", "postgresql://u:s3cret@h/", "postgresql://u:s3cret@h/a/b"]
    )
    def test_names_a_database(self, value: str) -> None:
        assert "must name a database" in refusal_of(addresses.database, value)

    def test_holds_a_password_as_it_is_written_in_addresses(self) -> None:
        assert refusal_of(addresses.database, "postgresql://u@h/runsheet#s3cret").endswith(
            "in a password it is written %23."
        )

    @pytest.mark.django_db
    def test_is_asked_with_the_limits_of_the_settings(self) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == (f"{base.LOCK_TIMEOUT_S}s",)
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == (f"{base.TRANSACTION_IDLE_S}s",)


class TestRedis:
    @pytest.mark.parametrize(
        ("value", "number"),
        [
            ("redis://", 0),
            ("redis://:p%40ss@h:6379/5", 5),
            ("redis://h?db=3", 3),
            ("rediss://h/2?ssl_cert_reqs=required", 2),
            ("unix:///run/redis.sock?db=1", 1),
            ("unix:///run/redis.sock", 0),
        ],
    )
    def test_is_the_value(self, value: str, number: int) -> None:
        assert addresses.redis(NAME, value) == value
        assert Redis.from_url(value).connection_pool.connection_kwargs.get("db", 0) == number

    @pytest.mark.parametrize(
        "option",
        [
            "socket_timeout=0",
            "socket_connect_timeout=600",
            "health_check_interval=1",
            "retry_on_timeout=yes",
            "max_connections=1",
            "decode_responses=yes",
            "protocol=3",
            "ssl_ca_certs=/etc/ca.pem",
        ],
    )
    def test_has_no_option_that_is_a_setting(self, option: str) -> None:
        assert refusal_of(addresses.redis, f"redis://:s3cret@h/0?{option}").startswith(
            f"{NAME} may have no option but db;"
        )

    @pytest.mark.parametrize("option", ["ssl_cert_reqs=none", "ssl_check_hostname=no", "ssl_cert_reqs="])
    def test_proves_who_answers(self, option: str) -> None:
        assert f"The option {option.partition('=')[0]} of {NAME} must be " in refusal_of(
            addresses.redis, f"rediss://h/0?{option}"
        )

    @pytest.mark.parametrize("value", ["redis://h/runsheet", "redis://h/-1", "redis://h/1/2?db=x", "redis://h/99999"])
    def test_names_a_number(self, value: str) -> None:
        assert "must name the database by its number" in refusal_of(addresses.redis, value)

    def test_names_its_certificates(self, tls: Tls, tmp_path: Path) -> None:  # noqa: F811 - the fixture
        value = f"rediss://h/0?ssl_ca_certs={tls.ca}&ssl_certfile={tls.cert}&ssl_keyfile={tls.key}"
        (tmp_path / "notes").write_text("s3cret")

        assert addresses.redis(NAME, value) == value
        assert refusal_of(addresses.redis, value.replace("ca.pem", "none.pem")) == (
            f"The option ssl_ca_certs of {NAME} names {tls.ca.with_name('none.pem')}, which cannot be read: "
            "No such file or directory."
        )
        assert refusal_of(addresses.redis, value.replace(str(tls.ca), f"{tmp_path}/notes")) == (
            f"The option ssl_ca_certs of {NAME} must name certificates in PEM."
        )
        assert "must name a certificate and its key without a password, in PEM" in refusal_of(
            addresses.redis, value.replace(str(tls.key), str(tls.ca))
        )
        assert "needs ssl_certfile" in refusal_of(addresses.redis, f"rediss://h/0?ssl_keyfile={tls.key}")

    def test_names_a_socket(self) -> None:
        assert "must name a socket" in refusal_of(addresses.redis, "unix:///?db=0")


class TestHosts:
    @pytest.mark.parametrize("value", ["runsheet.example.com", ".example.com, localhost", "127.0.0.1,[::1]", "none"])
    def test_are_the_values(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        assert addresses.hosts(NAME) == re.split(", ?", value)

    @pytest.mark.parametrize(
        "value", ["*", "a.example,*", "https://a.example", "a.example:8000", "a.example/x", "*.a.example", "a b"]
    )
    def test_are_no_patterns_for_all_the_web(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        assert "must hold names of hosts without scheme, port or “*”" in refusal_of(addresses.hosts)


class TestWithPassword:
    @pytest.mark.parametrize(
        ("url", "whole"),
        [
            (
                "postgresql://u@h:5432/runsheet?sslmode=require",
                "postgresql://u:p%40s%2Fs@h:5432/runsheet?sslmode=require",
            ),
            ("postgres://postgres@%2Frun%2Fx/runsheet", "postgres://postgres:p%40s%2Fs@%2Frun%2Fx/runsheet"),
            ("rediss://redis.example:6379/0", "rediss://:p%40s%2Fs@redis.example:6379/0"),
            ("redis://u:@h/0", "redis://u:p%40s%2Fs@h/0"),
            ("unix:///run/redis.sock?db=0", "unix://:p%40s%2Fs@/run/redis.sock?db=0"),
        ],
    )
    def test_has_it_where_an_address_has_one(self, monkeypatch: pytest.MonkeyPatch, url: str, whole: str) -> None:
        monkeypatch.setenv("RUNSHEET_TEST_PASSWORD", "p@s/s")

        assert addresses.with_password(NAME, url, beside="RUNSHEET_TEST_PASSWORD") == whole

    def test_is_the_address_where_none_is_told(self) -> None:
        assert addresses.with_password(NAME, POSTGRESQL, beside="RUNSHEET_TEST_PASSWORD") == POSTGRESQL

    def test_is_not_guessed_at_where_the_address_has_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RUNSHEET_TEST_PASSWORD", "s3cret too")

        told = refusal_of(lambda name: addresses.with_password(name, POSTGRESQL, beside="RUNSHEET_TEST_PASSWORD"))

        assert told == f"{NAME} holds a password, and RUNSHEET_TEST_PASSWORD is set; only one of them can be meant."


class TestOrigins:
    @pytest.mark.parametrize("value", ["", "https://a.example", "https://*.a.example:8443,https://b"])
    def test_are_the_values(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        assert addresses.origins(NAME) == [each for each in value.split(",") if each]

    @pytest.mark.parametrize(
        "value", ["https://*", "https://*.com", "http://a.example", "a.example", "https://a.example/x", "https://*.a.*"]
    )
    def test_are_no_patterns_for_half_the_web(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        assert "must hold origins, such as" in refusal_of(addresses.origins)


class TestReplica:
    @pytest.fixture(autouse=True)
    def unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("DATABASE_PASSWORD", "DATABASE_REPLICA_PASSWORD"):
            monkeypatch.delenv(name, raising=False)

    def test_is_none_by_default(self) -> None:
        assert addresses.replica(NAME, "") == ""

    def test_may_be_asked_for_as_one(self) -> None:
        value = f"{POSTGRESQL}?target_session_attrs=prefer-standby&sslmode=verify-full"

        assert addresses.replica(NAME, value) == value

    @pytest.mark.parametrize(
        ("given", "password"),
        [
            ({"DATABASE_PASSWORD": "p@"}, "p%40"),
            ({"DATABASE_REPLICA_PASSWORD": "r@"}, "r%40"),
            ({"DATABASE_PASSWORD": "p@", "DATABASE_REPLICA_PASSWORD": "r@"}, "r%40"),
        ],
    )
    def test_has_the_password_of_the_primary_unless_told_otherwise(
        self, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], password: str
    ) -> None:
        for name, value in given.items():
            monkeypatch.setenv(name, value)

        assert addresses.replica(NAME, "postgresql://u@h/runsheet") == f"postgresql://u:{password}@h/runsheet"

    def test_keeps_its_own_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_PASSWORD", "another")

        assert addresses.replica(NAME, POSTGRESQL) == POSTGRESQL

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ("postgresql://u:s3cret@h:5432/", f"{NAME} must name a database, such as"),
            ("redis://u:s3cret@h:6379/0", f"{NAME} must "),
            (f"{POSTGRESQL}?options=-c%20x", "may have no option but"),
            (f"{POSTGRESQL}?target_session_attrs=primary", "must be any or read-only or standby or prefer-standby."),
        ],
    )
    def test_that_is_nonsense_stops_the_start(self, value: str, sentence: str) -> None:
        assert sentence in refusal_of(addresses.replica, value)
