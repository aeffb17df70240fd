import pytest
from pytest_django.fixtures import Settings

from cloud.checks import base_url_is_safe


class TestBaseUrlIsSafe:
    @pytest.mark.parametrize("url", ["", "https://dropbox.example.com", "http://127.0.0.1:8080", "http://localhost:1"])
    def test_accepts(self, settings: Settings, url: str) -> None:
        settings.DROPBOX_BASE_URL = url

        assert base_url_is_safe() == []

    @pytest.mark.parametrize("url", ["http://dropbox.example.com", "ftp://127.0.0.1", "https://a/b", "nonsense"])
    def test_refuses_where_tokens_would_travel_in_the_clear_or_nowhere(self, settings: Settings, url: str) -> None:
        settings.DROPBOX_BASE_URL = url

        assert [each.id for each in base_url_is_safe()] == ["cloud.E001"]
