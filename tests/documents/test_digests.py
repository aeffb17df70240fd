"""What whoever sends bytes says they hash to, and whether they do."""

import hashlib
from base64 import b64encode

import pytest

from documents import digests
from documents.errors import DigestMismatch

SHA256 = b64encode(hashlib.sha256(b"deed").digest()).decode()
SHA512 = b64encode(hashlib.sha512(b"deed").digest()).decode()
OTHER = b64encode(hashlib.sha256(b"other").digest()).decode()


class TestDeclared:
    @pytest.mark.parametrize(
        ("fields", "names"),
        [
            ((), []),
            (("", ""), []),
            ((f"sha-256=:{SHA256}:",), ["sha-256"]),
            ((f"sha-512=:{SHA512}:, sha-256=:{SHA256}:;x=1",), ["sha-512", "sha-256"]),
            ((f"sha-256=:{SHA256}:", f"sha-256=:{SHA256}:"), ["sha-256"]),
            (("md5=:AAAA:, unixsum=:AAAA:",), []),
        ],
    )
    def test_is_what_proves_something(self, fields: tuple[str, ...], names: list[str]) -> None:
        assert list(digests.declared(*fields)) == names

    @pytest.mark.parametrize(
        "field",
        [
            SHA256,
            f"sha-256={SHA256}",
            "sha-256=:AAAA:",
            "sha-256=:====:",
            f"SHA-256=:{SHA256}:",
            f"sha-256=:{SHA256}:,,",
            ",".join(["md5=:AAAA:"] * 20 + ["none"]),
        ],
    )
    def test_that_is_none_is_told(self, field: str) -> None:
        with pytest.raises(digests.DigestUnreadable):
            digests.declared(field)

    def test_does_not_contradict_itself(self) -> None:
        with pytest.raises(digests.DigestUnreadable, match="Two different digests"):
            digests.declared(f"sha-256=:{SHA256}:", f"sha-256=:{OTHER}:")

    def test_are_not_passed_over_behind_many_others(self) -> None:
        with pytest.raises(digests.DigestUnreadable, match="At most 20"):
            digests.declared(f"{'md5=:AA==:,' * 30}sha-256=:{SHA256}:")


class TestChecked:
    def test_gives_the_same_bytes(self) -> None:
        said = digests.declared(f"sha-256=:{SHA256}:,sha-512=:{SHA512}:")

        assert list(digests.checked([b"de", b"ed"], said)) == [b"de", b"ed"]
        assert list(digests.checked([b"de", b"ed"], {})) == [b"de", b"ed"]

    def test_fails_at_the_end_of_others(self) -> None:
        found = digests.checked([b"de", b"ed"], digests.declared(f"sha-512=:{SHA512}:, sha-256=:{OTHER}:"))

        assert (next(found), next(found)) == (b"de", b"ed")
        with pytest.raises(DigestMismatch) as wrong:
            next(found)
        assert wrong.value.evidence["algorithm"] == "sha-256"
