"""Addresses and folders of computers that people paste where a path is asked for."""

import pytest
from django.core.exceptions import ValidationError

from cloud import addresses
from leases.validation import BASE_PATH_LENGTH, archive_path, normalise_base_path

BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
IN_ADDRESS = "Federal%20Workspace/%5ERunsheet%20Workspace/Runsheet%20Archive"
ON_WINDOWS = r"Federal Workspace\^Runsheet Workspace\Runsheet Archive"


class TestAddressesAtDropbox:
    @pytest.mark.parametrize(
        "pasted",
        [
            f"https://www.dropbox.com/home/{IN_ADDRESS}",
            f"http://dropbox.com/home/{IN_ADDRESS}/",
            f"HTTPS://WWW.Dropbox.com/home/{IN_ADDRESS}",
            f"https://www.dropbox.com:443/home/{IN_ADDRESS}",
            f"www.dropbox.com/home/{IN_ADDRESS}",
            f"dropbox.com/home/{IN_ADDRESS}",
            f"//www.dropbox.com/home/{IN_ADDRESS}",
            f"https://www.dropbox.com/work/{IN_ADDRESS}",
            f"https://www.dropbox.com/personal/{IN_ADDRESS}",
            f"https://www.dropbox.com/home/{IN_ADDRESS}?preview=NMNM+1.pdf",
            f"https://www.dropbox.com/work/{IN_ADDRESS}?di=left_nav_browse#top",
            f"https://www.dropbox.com/home//{IN_ADDRESS}",
            f"  <https://www.dropbox.com/home/{IN_ADDRESS}>\n",
            f"“https://www.dropbox.com/home/{IN_ADDRESS}”",
            f"https://www.dropbox.com/home{BLM}",
            "https://www.dropbox.com/home/Federal%20Workspace%2F%5ERunsheet%20Workspace%2FRunsheet%20Archive",
        ],
    )
    def test_become_the_path(self, pasted: str) -> None:
        assert normalise_base_path(pasted) == BLM

    @pytest.mark.parametrize(
        ("pasted", "path"),
        [
            # Dropbox writes a plus of a name as %2B, and a blank as %20; a plus that stands there is one.
            ("https://www.dropbox.com/home/A%2BB", "/A+B"),
            ("https://www.dropbox.com/home/A+B", "/A+B"),
            ("https://www.dropbox.com/home/100%25%3F%23", "/100%?#"),
            ("https://www.dropbox.com/home/%C3%91", "/Ñ"),
            ("https://www.dropbox.com/home/N%CC%83", "/Ñ"),
            ("https://www.dropbox.com/home/home/work", "/home/work"),
        ],
    )
    def test_are_decoded_once(self, pasted: str, path: str) -> None:
        assert normalise_base_path(pasted) == path

    @pytest.mark.parametrize(
        ("pasted", "sentence"),
        [
            ("https://www.dropbox.com/scl/fo/abc/h?rlkey=def&dl=0", addresses.SHARE_LINK),
            ("https://www.dropbox.com/sh/abc/def?dl=0", addresses.SHARE_LINK),
            ("dropbox.com/s/abc/Archive", addresses.SHARE_LINK),
            ("https://www.dropbox.com/preview/Archive/a.pdf", addresses.OF_A_FILE),
            ("https://www.dropbox.com/", addresses.NO_FOLDER),
            ("https://www.dropbox.com/search/work?path=%2FArchive&query=1", addresses.NO_FOLDER),
            ("https://dropbox.com.example.com/home/Archive", addresses.ELSEWHERE),
            ("https://example.com/home/Archive", addresses.ELSEWHERE),
            ("https://www.dropbox.com@example.com/home/Archive", addresses.ELSEWHERE),
            ("ftp://www.example.com/Archive", addresses.ELSEWHERE),
            ("https://[www.dropbox.com/home/Archive", addresses.UNREADABLE),
            ("https://www.dropbox.com/home/%FF", addresses.UNREADABLE),
        ],
    )
    def test_are_refused_if_they_are_of_no_folder(self, pasted: str, sentence: str) -> None:
        with pytest.raises(ValidationError) as refused:
            normalise_base_path(pasted)

        assert refused.value.messages == [sentence]

    @pytest.mark.parametrize(
        ("pasted", "sentence"),
        [
            ("https://www.dropbox.com/home", "Enter the path of a Dropbox folder"),
            ("https://www.dropbox.com/work/", "Enter the path of a Dropbox folder"),
            ("https://www.dropbox.com/home/a/..%2Fb", "must not contain “.” or “..”"),
            ("https://www.dropbox.com/home/a%00", "control characters"),
            ("https://www.dropbox.com/home/a%255Cb", "percent codes"),
            ("https://www.dropbox.com/home/" + "a" * 501, "at most 500 characters"),
        ],
    )
    def test_are_judged_like_what_is_typed(self, pasted: str, sentence: str) -> None:
        with pytest.raises(ValidationError, match=sentence):
            normalise_base_path(pasted)

    def test_may_be_longer_than_a_path(self) -> None:
        pasted = "https://www.dropbox.com/home/" + "%C3%91" * (BASE_PATH_LENGTH - 1)

        assert normalise_base_path(pasted) == "/" + "Ñ" * (BASE_PATH_LENGTH - 1)
        assert len(pasted) < addresses.ADDRESS_LENGTH


class TestFoldersOfComputers:
    @pytest.mark.parametrize(
        "pasted",
        [
            rf"C:\Users\olivia\Dropbox\{ON_WINDOWS}",
            rf'"C:\Users\olivia\Dropbox (Acme Land)\{ON_WINDOWS}"',
            rf"d:\Acme Land Dropbox\{ON_WINDOWS}" + "\\",
            rf"\\server\share\Dropbox\{ON_WINDOWS}",
            f"C:/Users/olivia/Dropbox{BLM}",
            f"/Users/olivia/Dropbox (Acme Land){BLM}",
            f"/Users/olivia/Library/CloudStorage/Dropbox-AcmeLand{BLM}/",
            f"/Users/olivia/Acme Land Dropbox{BLM}",
            f"/home/olivia/Dropbox{BLM}",
            f"/Volumes/Big Disk/Dropbox{BLM}",
            f"~/Dropbox{BLM}",
            f"file:///Users/olivia/Dropbox/{IN_ADDRESS}",
            f"file:///C:/Users/olivia/Dropbox/{IN_ADDRESS}",
            f"/ Users//olivia/Dropbox{BLM}",
        ],
    )
    def test_become_what_follows_the_dropbox_folder(self, pasted: str) -> None:
        assert normalise_base_path(pasted) == BLM

    @pytest.mark.parametrize("pasted", [r"C:\Archive", r"\\server\Archive", "~/Archive", "file:///C:/Archive"])
    def test_are_refused_outside_of_it(self, pasted: str) -> None:
        with pytest.raises(ValidationError) as refused:
            normalise_base_path(pasted)

        assert refused.value.messages == [addresses.ON_A_COMPUTER]

    def test_are_not_what_only_begins_like_one(self) -> None:
        for path in ("/Users/Archive", "/home/olivia/Archive", "/Volumes/1/Archive", "/work/Archive", "/Dropbox/A"):
            assert normalise_base_path(path) == path


class TestAgain:
    @pytest.mark.parametrize(
        "pasted",
        [
            r"C:\Users\a\Dropbox\Users\b\Dropbox\c",
            "https://www.dropbox.com/home/Users/a/Dropbox/c",
            "https://www.dropbox.com/home/https%3A%2F%2Fwww.dropbox.com%2Fhome%2Fc",
            "//State Workspace//c/",
            "/ dropbox.com/home/c",
        ],
    )
    def test_gives_the_same(self, pasted: str) -> None:
        path = normalise_base_path(pasted)

        assert normalise_base_path(path) == path
        assert archive_path(base_path=path, lease_number="1") == f"{path}/1"


class TestAddressOf:
    @pytest.mark.parametrize("path", [BLM, "/a b/100 % #1?/\u00d1", "/a&b=c;d/+"])
    def test_leads_back_to_its_path(self, path: str) -> None:
        assert addresses.path_behind(addresses.address_of(path)) == path

    def test_is_at_dropbox_whatever_the_path(self) -> None:
        assert addresses.address_of('//evil.example/"><script>').startswith("https://www.dropbox.com/home//evil")
        assert '"' not in addresses.address_of('/"><script>')

    def test_of_a_file_shows_it_in_its_folder(self) -> None:
        found = addresses.address_of_file("/Archive #1/a&b/Deed? 1.pdf")

        assert found == "https://www.dropbox.com/home/Archive%20%231/a%26b?preview=Deed%3F%201.pdf"
