"""EMAIL_URL, as Django's mailer takes it."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import mailers
from pytest_django.fixtures import Settings

from core.settings import environment


def read(address: str) -> Any:
    return environment.mailers("EMAIL_URL", address)


class TestMailers:
    @pytest.mark.parametrize(
        ("address", "port", "use_ssl", "use_tls"),
        [
            ("smtps://u:p%40ss@mail.example.com", 465, True, False),
            ("smtp+tls://u:p%40ss@mail.example.com", 587, False, True),
            ("smtp://u:p%40ss@mail.example.com:2525", 2525, False, False),
        ],
    )
    def test_reads_an_address(self, address: str, port: int, *, use_ssl: bool, use_tls: bool) -> None:
        options = read(address)["default"]["OPTIONS"]

        assert (options["host"], options["username"], options["password"]) == ("mail.example.com", "u", "p@ss")
        assert (options["port"], options["use_ssl"], options["use_tls"]) == (port, use_ssl, use_tls)

    @pytest.mark.parametrize(
        "address",
        [
            "http://mail.example.com",
            "smtps://",
            "mail.example.com",
            "smtps://h?timeout=0",
            "smtps://h/x",
            "smtps://u#p@h",
        ],
    )
    def test_refuses_what_is_no_mail_server(self, address: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL must"):
            read(address)

    def test_is_what_django_connects_to(self, settings: Settings) -> None:
        settings.MAILERS = read("smtp://127.0.0.1:1")

        with pytest.raises(ConnectionRefusedError):
            mailers["default"].open()
