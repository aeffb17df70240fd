from dataclasses import replace

import pytest

from cloud.models import DropboxAccount
from discovery.services.judging import may_judge
from leases.models import NOBODY, Origin

SEEN = Origin(base_path="/a", account="dbid:1", path_root="1", namespace="", folder_id="id:1")
SHARED = replace(SEEN, namespace="7")


class TestMayJudge:
    @pytest.mark.parametrize(
        ("known", "account_id", "root", "may"),
        [
            (NOBODY, "dbid:2", "2", True),
            (SEEN, "dbid:1", "2", True),
            (SEEN, "dbid:2", "1", True),
            (SEEN, "dbid:2", "2", False),
        ],
    )
    def test_is_for_who_sees_the_place(self, known: Origin, account_id: str, root: str, *, may: bool) -> None:
        account = DropboxAccount(account_id=account_id, root_namespace_id=root)

        assert may_judge(known, account=account, namespace="") is may

    @pytest.mark.parametrize(("namespace", "may"), [("7", True), ("8", False), ("", False)])
    def test_is_for_who_sees_the_same_shared_folder(self, namespace: str, *, may: bool) -> None:
        account = DropboxAccount(account_id="dbid:1", root_namespace_id="1")

        assert may_judge(SHARED, account=account, namespace=namespace) is may
