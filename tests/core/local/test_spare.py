"""A part of somebody's servers that leaves theirs alone."""

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from core.local import servers, spare
from core.local.servers import ServerUrls
from core.local.spare import NoSpareServer, spare_servers
from tests.redis_tls import unsecured


def databases(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


@unsecured
class TestSpareServers:
    def test_gives_a_database_of_its_own_and_drops_it_again(self, tmp_path: Path) -> None:
        ours = os.environ["DATABASE_URL"]
        before = databases(ours)

        with spare_servers(tmp_path / "d") as urls, psycopg.connect(urls.database_url) as connection:
            name = connection.info.dbname
            connection.execute("CREATE TABLE something (id int)")
            during = databases(ours)

        assert name in during - before
        assert name not in databases(ours)

    def test_gives_an_empty_redis_number_and_empties_it_again(self, tmp_path: Path) -> None:
        with spare_servers(tmp_path / "d") as urls, Redis.from_url(urls.redis_url) as redis:
            number = redis.connection_pool.connection_kwargs["db"]
            before = redis.keys()
            redis.set("something", 1)

        assert (before, 1 <= number <= 15) == ([b"runsheet:spare"], True)
        # Another process of this run may have taken the number since.
        with Redis.from_url(urls.redis_url) as redis:
            assert redis.get("something") is None

    @pytest.mark.parametrize("made", ["_execute", "_is_taken"])
    def test_leaves_nothing_when_it_is_interrupted_just_as_that_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
    ) -> None:
        # Another case may run at the same time, on the same server.
        make, numbers, drawn = getattr(spare, made), list[Any](), made.strip("_")

        def interrupted(*given: object) -> Any:
            done = make(*given)
            if done is False:  # somebody else has this number
                return done
            monkeypatch.setattr(spare, made, make)
            if made == "_is_taken":
                numbers.append(given[0])
            raise KeyboardInterrupt

        monkeypatch.setattr(spare, made, interrupted)
        monkeypatch.setattr("core.local.spare.secrets.token_hex", lambda _: drawn)

        with pytest.raises(KeyboardInterrupt):
            spare_servers(tmp_path / "justnow").__enter__()

        assert f"runsheet_justnow_{drawn}" not in databases(os.environ["DATABASE_URL"])
        for each in numbers:
            assert each.get(spare.MARK) != drawn.encode()

    def test_passes_by_a_number_that_holds_data(self, tmp_path: Path) -> None:
        with spare_servers(tmp_path / "d") as first, Redis.from_url(first.redis_url) as redis:
            redis.set("somebody's", 1)

            with spare_servers(tmp_path / "e") as second:
                assert second.redis_url != first.redis_url

            assert redis.get("somebody's") == b"1"

    def test_says_when_no_number_is_empty(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spare, "REDIS_NUMBERS", (99_999,))  # as a server with fewer numbers answers

        with pytest.raises(NoSpareServer, match=r"^Redis at REDIS_URL has no empty number from 1 to 15\."):
            spare_servers(tmp_path / "d").__enter__()

    def test_says_when_redis_does_not_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REDIS_URL", f"unix://{tmp_path}/nobody.sock")

        with pytest.raises(NoSpareServer, match=r"^Redis at REDIS_URL gives no number of its own \(Error"):
            spare_servers(tmp_path / "d").__enter__()

    def test_says_when_postgresql_does_not_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", f"postgresql:///nothing?host={tmp_path}")

        with pytest.raises(NoSpareServer, match=r"^PostgreSQL at DATABASE_URL gives no database of its own"):
            spare_servers(tmp_path / "d").__enter__()

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("postgresql://u:p@host:5/data", "postgresql://u:p@host:5/spare"),
            ("postgresql:///data?host=/run", "postgresql:///spare?host=/run"),
        ],
    )
    def test_keeps_everything_else_of_the_address(self, url: str, expected: str) -> None:
        assert spare._with_database(url, "spare") == expected

    def test_uses_embedded_servers_where_none_are_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DATABASE_URL")
        monkeypatch.delenv("REDIS_URL")
        urls = ServerUrls(database_url="postgresql://a", redis_url="redis://b")
        monkeypatch.setattr(servers, "running", _Running(urls))
        (tmp_path / "left over").touch()

        with spare_servers(tmp_path) as found:
            assert found == urls
            assert not tmp_path.exists()


class _Running:
    """In place of servers that take seconds to start; tests/core/local/test_servers.py starts them."""

    def __init__(self, urls: ServerUrls) -> None:
        self.urls = urls

    def __call__(self, _directory: Path, *, durable: bool) -> "_Running":
        assert not durable
        return self

    def __enter__(self) -> ServerUrls:
        return self.urls

    def __exit__(self, *_: object) -> None: ...
