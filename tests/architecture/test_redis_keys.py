"""Names in Redis stand in one module; what a run writes is looked at in tests/flows/test_redis_users.py."""

import ast
import re
from pathlib import Path
from typing import get_args

from core.base.redis_keys import CACHE_PREFIX, OURS, RQS, CacheKind, Kind, cache_key, redis_key
from core.settings import base
from tests.architecture.floors import HOUSE

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "core" / "base" / "redis_keys.py"
# Of the cache, those that name a key.
ASKS = {"get", "set", "add", "delete", "incr", "touch", "get_or_set"}


def texts(path: Path) -> list[str]:
    """Of the code, whole ones and the beginnings of those with values in them."""
    return [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


class TestNames:
    def test_are_written_nowhere_else(self) -> None:
        named = {
            f"{path.relative_to(ROOT)}: {text}"
            for app in HOUSE
            for path in (ROOT / app).rglob("*.py")
            if path != MODULE
            and re.search(rf"[\"']({OURS}|{RQS}|{'|'.join(get_args(CacheKind.__value__))}:)", path.read_text())
            for text in texts(path)
            if re.match(rf"({OURS}|{RQS}|({'|'.join(get_args(CacheKind.__value__))}):)\S", text)
        }

        assert named == set()

    def test_are_told_apart(self) -> None:
        names = {redis_key(kind, 1) for kind in get_args(Kind.__value__)}

        assert names == {f"runsheet:{kind}:1" for kind in get_args(Kind.__value__)}
        assert cache_key("near-names", "a", 2) == "near-names:a:2"
        # No number of a version is one of the kinds.
        assert not any(kind[0].isdigit() for kind in get_args(Kind.__value__))

    def test_are_those_that_the_products_user_may_use(self) -> None:
        rights = (ROOT / "deploy" / "redis" / "users.acl").read_text()
        (user,) = re.findall(r"^user runsheet .*$", rights, re.MULTILINE)

        assert re.findall(r"~(\S+)", user) == [f"{OURS}*", f"{RQS}*"]
        assert base.CACHES["default"]["KEY_PREFIX"] == CACHE_PREFIX == "runsheet"
