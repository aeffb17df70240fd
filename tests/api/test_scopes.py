"""What has no area is for no token, and what is forgotten stays closed."""

from types import SimpleNamespace

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from api import scopes
from api.errors import NotForTokens, ScopeMissing
from api.scopes import Area, Scope, area_of, declare, require


def asked(route: str | None, method: str = "GET") -> HttpRequest:
    request = RequestFactory().generic(method, "/")
    request.resolver_match = SimpleNamespace(route=route) if route is not None else None  # type: ignore[assignment]
    return request


class TestArea:
    @pytest.mark.parametrize(
        "route",
        [
            "",
            "api/v1/",
            "api/v1/nothing/",
            "api/v1/leasesx/",
            "admin/leases/",
            "v1/leases/",
            "api/v2/leases/",
            "leases/",
        ],
    )
    def test_of_what_nobody_has_declared_is_none(self, route: str) -> None:
        assert area_of(route) is None

    def test_is_said_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scopes, "_AREAS", {})
        declare("/boxes", Area.STORAGE)
        declare("/boxes/", Area.STORAGE)

        with pytest.raises(ValueError, match="“/boxes” belongs to the area storage already"):
            declare("/boxes", Area.LEASES)
        assert area_of("api/v1/boxes/<int:pk>/") is Area.STORAGE

    def test_has_two_scopes_each(self) -> None:
        assert Scope.values == [f"{area}:{what}" for area in Area for what in ("read", "write")]


class TestRequire:
    @pytest.mark.parametrize("route", [None, "api/v1/", "api/v1/nothing/"])
    def test_lets_no_token_where_nobody_has_said_what_it_takes(self, route: str | None) -> None:
        with pytest.raises(NotForTokens):
            require(Scope.values, asked(route))

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_takes_either_scope_to_look(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        monkeypatch.setattr(scopes, "_AREAS", {"boxes": Area.STORAGE})
        for held in ("storage:read", "storage:write"):
            require([held], asked("api/v1/boxes/", method))

        with pytest.raises(ScopeMissing, match="“storage:read”"):
            require(["leases:write", "documents:write"], asked("api/v1/boxes/", method))

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "QUERY", "get"])
    def test_takes_the_one_to_change_for_everything_else(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        monkeypatch.setattr(scopes, "_AREAS", {"boxes": Area.STORAGE})
        request = asked("api/v1/boxes/")
        request.method = method
        require(["storage:write"], request)

        with pytest.raises(ScopeMissing, match="“storage:write”"):
            require(["storage:read"], request)
