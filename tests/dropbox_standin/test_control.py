import time
from typing import Any

import pytest
import requests
from dropbox import Dropbox

from dropbox_standin.client import Standin, StandinError
from dropbox_standin.seeds import BLM_BASE, DEMO, NMSLO_BASE
from tests.dropbox_standin.clients import at_root, sdk


class TestReset:
    def test_forgets_everything(self, standin: Standin, home: Dropbox) -> None:
        standin.put("/A/")
        standin.policy("access_denied")
        standin.fault("*", status=503)
        standin.suspend("olivia")
        standin.page_size(1)

        standin.reset()

        assert standin.tree() == ()
        assert standin.faults() == []
        assert not standin.account("olivia").suspended
        assert standin._get("")["settings"]["page_size"] == 2000

    def test_takes_a_seed_of_ones_own(self, standin: Standin) -> None:
        standin.reset(
            seed={
                "team": ["/A/", {"path": "/b.txt", "content": "x"}],
                "home": {"paul": ["/note.txt"]},
                "policies": [{"outcome": "access_denied", "path": "/A"}],
            }
        )

        assert standin.tree() == ("/A/", "/b.txt")
        assert standin.tree(home="paul") == ("/note.txt",)

    def test_goes_back_to_the_seed_of_the_start(self, standin: Standin) -> None:
        standin.reset(seed="demo")
        standin.reset(seed=None)

        assert standin.tree() == ()

    @pytest.mark.parametrize(
        ("seed", "problem"),
        [
            ("/etc/passwd", "seed is"),
            ({"strange": []}, "unknown: strange"),
            ({"team": ["no slash"]}, "must begin with a slash"),
            ({"team": [{"content": "x"}]}, "an entry is a path"),
            ({"team": ["/a.txt", "/a.txt/beneath"]}, "is in the way"),
            ({"home": {"nobody": []}}, "unknown: nobody"),
            ({"policies": [{"outcome": "maybe"}]}, "outcome is one of"),
        ],
    )
    def test_refuses_a_seed_that_is_none_and_keeps_the_world(self, standin: Standin, seed: Any, problem: str) -> None:
        standin.put("/Kept/")

        with pytest.raises(StandinError, match=problem):
            standin.reset(seed=seed)

        assert standin.tree() == ("/Kept/",)


class TestPut:
    def test_takes_thousands_of_paths_at_once_and_quickly(self, standin: Standin) -> None:
        began = time.monotonic()

        standin.put(*(f"/Archive/NMNM {number}/report.pdf" for number in range(5_000)))

        assert time.monotonic() - began < 3
        assert len(standin.tree()) == 10_001

    def test_gives_every_file_its_content(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/a.txt", "/B/", content="12345")

        assert team.files_get_metadata("/a.txt").size == 5

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ({"entries": "x"}, "entries must be a list"),
            ({"entries": [], "home": "nobody"}, "there is no account 'nobody'"),
            ({"entries": [], "team": "none"}, "there is no team 'none'"),
            ({"entries": ["relative"]}, "must begin with a slash"),
            ({"entries": ["/"]}, "name something"),
        ],
    )
    def test_refuses_what_it_cannot_place(self, standin: Standin, body: dict[str, object], problem: str) -> None:
        with pytest.raises(StandinError, match=problem):
            standin._post("put", **body)


class TestDelete:
    def test_takes_a_folder_and_what_is_in_it(self, standin: Standin) -> None:
        standin.put("/A/b.txt", "/C/")

        standin.delete("/a", "/A/b.txt")

        assert standin.tree() == ("/C/",)

    def test_refuses_what_is_not_there_and_deletes_nothing(self, standin: Standin) -> None:
        standin.put("/A/")

        with pytest.raises(StandinError, match="nothing to delete at '/B'"):
            standin.delete("/A", "/B")

        assert standin.tree() == ("/A/",)


class TestAccounts:
    def test_are_the_same_in_every_seed(self, standin: Standin) -> None:
        before = [standin.account(name) for name in ("olivia", "paul", "nora", "ivan")]
        standin.reset(seed="demo")

        assert [standin.account(name) for name in ("olivia", "paul", "nora", "ivan")] == before

    def test_are_found_by_id_and_address_too(self, standin: Standin) -> None:
        olivia = standin.account("olivia")

        assert standin.account(olivia.account_id) == standin.account(olivia.email) == olivia

    def test_can_be_made(self, standin: Standin) -> None:
        mia = standin.create_account("mia", display_name="Mia Member", team="team")

        assert (mia.refresh_token, mia.home_path) == ("standin-refresh-mia", "/Mia Member")
        assert sdk(standin, "mia").users_get_current_account().email == "mia@example.com"

    @pytest.mark.parametrize(
        ("where", "body", "problem"),
        [
            ("accounts", {"name": "olivia"}, "there is an account 'olivia' already"),
            ("accounts", {}, "name must be a text"),
            ("accounts/nobody/suspend", {}, "there is no account 'nobody'"),
            ("accounts/olivia/scopes", {"scopes": ["everything"]}, "scopes is a list of"),
            ("accounts/olivia/tokens", {"app": "strange"}, "there is no app 'strange'"),
            ("teams", {"name": "team"}, "there is a team 'team' already"),
            ("policies", {"outcome": "allow", "account": "nobody"}, "there is no account"),
            ("settings", {"page_size": 0}, "page_size must be at least 1"),
            ("settings", {"latency_ms": "slow"}, "latency_ms must be a number"),
            ("settings", {"rate_limit": 5}, "rate_limit is an object"),
            ("settings", {"rate_limit": {"per_second": 1, "style": "xml"}}, "style of a rate limit"),
            ("clock", {"advance_s": -1}, "advance_s must be at least 0"),
            ("webhooks/send", {"accounts": "olivia"}, "accounts must be a list"),
            ("jobs", {"checks": -1}, "checks must be at least 0"),
            ("search", {"index_delay_s": "long"}, "index_delay_s must be a number"),
            ("refusals", {"fresh_parent_s": -1}, "fresh_parent_s must be at least 0"),
        ],
    )
    def test_and_all_else_refuse_bad_input_in_one_sentence(
        self, standin: Standin, where: str, body: dict[str, object], problem: str
    ) -> None:
        with pytest.raises(StandinError, match=problem):
            standin._post(where, **body)

    def test_are_listed(self, standin: Standin) -> None:
        names = [account["name"] for account in standin._get("accounts")["accounts"]]

        assert names == ["olivia", "paul", "nora", "ivan"]


class TestBody:
    @pytest.mark.parametrize(("body", "problem"), [("{", "must be JSON"), ("[]", "must be a JSON object")])
    def test_must_be_an_object(self, standin: Standin, body: str, problem: str) -> None:
        response = requests.post(f"{standin.base_url}/standin/reset", data=body, timeout=10)

        assert (response.status_code, problem in response.json()["error"]) == (400, True)

    def test_of_an_unknown_address_is_refused(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="404"):
            standin._post("strange")


class TestPolicies:
    def test_are_listed_and_cleared(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        standin.policy("banned_member", account="olivia@example.com", path="/A")
        assert standin._get("policies")["policies"][-1] == {
            "outcome": "banned_member",
            "account": "olivia",
            "path": "/A",
        }

        standin.clear_policies()

        assert team.sharing_create_shared_link_with_settings("/A").url


@pytest.mark.long
class TestDemo:
    @pytest.fixture
    def demo(self, standin: Standin) -> Dropbox:
        standin.reset(seed="demo")
        return at_root(sdk(standin), standin.account("olivia"))

    def test_has_a_directory_for_each_outcome(self, demo: Dropbox) -> None:
        def names(number: str) -> list[str]:
            return [entry.name for entry in demo.files_list_folder(f"{BLM_BASE}/{number}").entries]

        assert "NMNM 0501759 Master Documents.pdf" in names(DEMO.report_found)
        assert not [name for name in names(DEMO.no_report) if "master documents" in name.lower()]
        assert names(DEMO.empty) == []
        assert "Master Documents" in names(DEMO.only_subfolders)
        assert demo.files_list_folder(f"{BLM_BASE}/{DEMO.beyond_first_page}").has_more
        assert "zz Master Documents.pdf" not in names(DEMO.beyond_first_page)

    def test_forbids_one_link(self, demo: Dropbox) -> None:
        with pytest.raises(Exception, match="access_denied"):
            demo.sharing_create_shared_link_with_settings(f"{BLM_BASE}/{DEMO.link_forbidden}")

    def test_has_no_directory_that_is_not_found(self, standin: Standin, demo: Dropbox) -> None:
        assert f"{BLM_BASE}/{DEMO.not_found}/" not in standin.tree()

    def test_has_ordinary_ones_for_both_agencies(self, standin: Standin, demo: Dropbox) -> None:
        tree = standin.tree()

        assert all(f"{BLM_BASE}/{number}/" in tree for number in DEMO.ordinary_blm)
        assert all(f"{NMSLO_BASE}/{number}/" in tree for number in DEMO.ordinary_nmslo)
