"""What the apps put into the console, and when."""

from collections.abc import Callable

import pytest

from console.shell import declared


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    none: list[Callable[[], None]] = []
    monkeypatch.setattr(declared, "_waiting", none)
    return none


@pytest.mark.usefixtures("waiting")
class TestDeclared:
    def test_is_put_at_the_first_page_in_its_order_and_once(self) -> None:
        put: list[str] = []
        declared.at_first_page(lambda: put.append("first"))
        declared.at_first_page(lambda: put.append("second"))
        assert put == []

        declared.put_all()
        declared.put_all()

        assert put == ["first", "second"]
