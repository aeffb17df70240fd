"""Who sends documents, out of the environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.settings import documents


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
