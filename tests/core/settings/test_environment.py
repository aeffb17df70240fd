import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from core.settings import environment

NAME = "RUNSHEET_TEST_VALUE"


class TestText:
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "x")

        assert environment.text(NAME) == "x"

    @pytest.mark.parametrize("value", [None, ""])
    def test_names_what_is_missing(self, monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
        if value is not None:
            monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"{NAME} is not set. Set it in the environment or in .env"):
            environment.text(NAME)


class TestSecret:
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "x" * 50)

        assert environment.secret(NAME, shortest=50) == "x" * 50

    def test_refuses_what_can_be_guessed_without_repeating_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "abc")

        with pytest.raises(ImproperlyConfigured) as refusal:
            environment.secret(NAME, shortest=50)

        assert str(refusal.value) == f"{NAME} must have 50 characters or more; see docs/operations.md."


class TestNumber:
    def test_is_the_default_when_unset(self) -> None:
        assert environment.number(NAME, 2, minimum=0, maximum=9) == 2

    @pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "9.1", "1e300", "-0.1"])
    def test_refuses_what_is_none_or_beyond_the_bounds(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} must be a number from 0 to 9, not '{value}'.$"):
            environment.number(NAME, 2, minimum=0, maximum=9)

    def test_refuses_more_than_makes_sense(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "1e6")

        with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a number from 0.1 to 5, not '1e6'."):
            environment.number(NAME, 2, minimum=0.1, maximum=5)


class TestWholeNumber:
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "7")

        assert environment.whole_number(NAME, 2, maximum=7) == 7

    def test_refuses_a_fraction(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "2.5")

        with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a whole number, not 2.5."):
            environment.whole_number(NAME, 2, maximum=7)

    @pytest.mark.parametrize("value", ["0", "8"])
    def test_refuses_what_would_stop_everything(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be a number from 1 to 7, not '{value}'."):
            environment.whole_number(NAME, 2, minimum=1, maximum=7)


class TestSender:
    @pytest.mark.parametrize("value", ["Runsheet <runsheet@example.com>", "a@b", '"A, B" <a@b.example>'])
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        assert environment.sender(NAME, "x@y") == value

    @pytest.mark.parametrize("value", ["Runsheet", "a@b\nBcc: c@d", "<@b>", "a b@c d"])
    def test_refuses_what_nobody_can_answer(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} must be an address, such as x@y, not"):
            environment.sender(NAME, "x@y")


class TestTimeZone:
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "Europe/Berlin")

        assert environment.time_zone(NAME, "America/Denver") == "Europe/Berlin"

    def test_refuses_what_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "../etc/passwd")

        with pytest.raises(
            ImproperlyConfigured, match=f"{NAME} must be the name of a time zone, such as America/Denver"
        ):
            environment.time_zone(NAME, "America/Denver")


class TestSentryDsn:
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "https://key@sentry.example/7")

        assert environment.sentry_dsn(NAME) == "https://key@sentry.example/7"

    def test_is_empty_when_unset(self) -> None:
        assert not environment.sentry_dsn(NAME)

    @pytest.mark.parametrize("value", ["sentry", "https://sentry.example/7", "https://key@sentry.example/seven"])
    def test_refuses_what_is_none_without_repeating_its_key(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured) as refusal:
            environment.sentry_dsn(NAME)

        assert str(refusal.value) == f"{NAME} must be a DSN as the error tracker shows it; see docs/observability.md."


class TestChoice:
    def test_is_the_value_in_the_case_that_was_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "warning")

        assert environment.choice(NAME, "INFO", ("INFO", "WARNING")) == "WARNING"

    def test_says_what_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "loud")

        with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be INFO or WARNING, not 'loud'."):
            environment.choice(NAME, "INFO", ("INFO", "WARNING"))


class TestPattern:
    def test_is_the_default_when_unset(self) -> None:
        assert environment.pattern(NAME, ".*a") == ".*a"

    def test_refuses_what_is_no_regular_expression(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "(")

        with pytest.raises(
            ImproperlyConfigured, match=f"{NAME} must be a regular expression of RE2's syntax; '\\(' is none: .*\\.$"
        ):
            environment.pattern(NAME, ".*")

    def test_refuses_what_cannot_be_asked_of_names_as_they_look(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, r"master\N{NO SUCH BLANK}documents")

        with pytest.raises(
            ImproperlyConfigured, match=r"is none: there is no character of the name “NO SUCH BLANK”\.$"
        ):
            environment.pattern(NAME, ".*")

    def test_takes_what_names_a_character(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, r"master\N{NBSP}documents")

        assert environment.pattern(NAME, ".*") == r"master\N{NBSP}documents"

    def test_refuses_a_long_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "a" * 201)

        with pytest.raises(ImproperlyConfigured, match=f"{NAME} may have at most 200 characters, not 201."):
            environment.pattern(NAME, ".*")


class TestNameForms:
    def test_are_separated_by_commas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "~$*, *.TMP,desktop.ini")

        assert environment.name_forms(NAME, "x") == ["~$*", "*.TMP", "desktop.ini"]

    def test_may_be_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "-")

        assert environment.name_forms(NAME, "~$*") == []

    @pytest.mark.parametrize("form", ["*", "*.pdf", "*.PDF", "master*", "[!~]*", "????????????????*", "*.part[0-9]*"])
    def test_refuses_what_would_hide_reports(self, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
        monkeypatch.setenv(NAME, f"~$*,{form}")

        with pytest.raises(ImproperlyConfigured, match="would hide reports too"):
            environment.name_forms(NAME, "")


class TestAddress:
    @pytest.mark.parametrize("value", ["rediss://:p%40ss@redis.example:6379/0", "redis:///", "unix:///a/b.sock?db=0"])
    def test_lets_the_right_kinds_pass(self, value: str) -> None:
        assert environment.address(NAME, value, schemes=("redis", "rediss", "unix")) == value

    def test_refuses_another_kind_without_repeating_the_password(self) -> None:
        with pytest.raises(ImproperlyConfigured) as refusal:
            environment.address(NAME, "mysql://u:secret@h/x", schemes=("postgresql", "postgres"))

        assert str(refusal.value) == f"{NAME} must begin with postgresql:// or postgres://."

    def test_refuses_what_is_no_address(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"{NAME} is not a valid address"):
            environment.address(NAME, "postgresql://u:secret@h:port/x", schemes=("postgresql",))


class TestEncryptionKeys:
    def test_are_the_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = [Fernet.generate_key().decode() for _ in range(2)]
        monkeypatch.setenv(NAME, ", ".join(keys))

        assert environment.encryption_keys(NAME) == keys

    @pytest.mark.parametrize("value", ["abc", ",", f"{'0' * 43}=,k3y", "ü" * 44])
    def test_refuses_what_is_none_without_repeating_it(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured) as refusal:
            environment.encryption_keys(NAME)

        assert str(refusal.value) == (
            f"{NAME} must hold keys of 32 bytes each in URL-safe base64, separated by commas; see docs/operations.md."
        )
        assert refusal.value.__suppress_context__


class TestConsoleUrl:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("https://runsheet.example.com/", "https://runsheet.example.com"),
            ("https://runsheet.example.com:8443", "https://runsheet.example.com:8443"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("http://localhost", "http://localhost"),
        ],
    )
    def test_is_the_value(self, monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
        monkeypatch.setenv(NAME, value)

        assert environment.console_url(NAME, hosts=["*"]) == expected

    def test_is_the_first_of_the_hosts_when_unset(self) -> None:
        assert environment.console_url(NAME, hosts=["a.example", ".b.example"]) == "https://a.example"

    @pytest.mark.parametrize("hosts", [["*"], [".example.com", "a.example.com"], []])
    def test_is_asked_for_where_they_name_none(self, hosts: list[str]) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} is not set"):
            environment.console_url(NAME, hosts=hosts)

    @pytest.mark.parametrize("value", ["runsheet.example.com", "ftp://a.example", "javascript:alert(1)", "//a.example"])
    def test_refuses_another_kind(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} must begin with https:// or http://.$"):
            environment.console_url(NAME, hosts=[])

    @pytest.mark.parametrize("value", ["https://", "https:///a", "https://*", "https://:8000"])
    def test_refuses_what_names_no_host(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} must name a host"):
            environment.console_url(NAME, hosts=[])

    @pytest.mark.parametrize(
        "value", ["https://a.example/console", "https://a.example?x", "https://a.example/#x", "https://u:p@a.example"]
    )
    def test_refuses_what_is_behind_the_host(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} must end with its host or port"):
            environment.console_url(NAME, hosts=[])

    def test_refuses_plain_http_beyond_loopback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, "http://runsheet.example.com")

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} may use plain http on loopback only; use https.$"):
            environment.console_url(NAME, hosts=[])


class TestWords:
    def test_are_what_stands_between_commas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(NAME, " a, b,,")

        assert environment.words(NAME) == ["a", "b"]

    def test_are_none_when_unset(self) -> None:
        assert environment.words(NAME) == []


class TestFolder:
    @pytest.mark.parametrize(("value", "expected"), [("office", "office"), ("/back/Office-2/", "back/Office-2")])
    def test_is_the_value_without_slashes_around_it(
        self, monkeypatch: pytest.MonkeyPatch, value: str, expected: str
    ) -> None:
        monkeypatch.setenv(NAME, value)

        assert environment.folder(NAME, "admin") == expected

    @pytest.mark.parametrize(
        "value", ["/", "a//b", "..", "a b", "<slug:x>", "^a$", "dropbox/x", "metrics", "health", "Static", "DROPBOX/x"]
    )
    def test_refuses_what_is_no_part_of_an_address_or_is_taken(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv(NAME, value)

        with pytest.raises(ImproperlyConfigured, match=f"^{NAME} must be letters"):
            environment.folder(NAME, "admin")
