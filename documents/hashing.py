"""SHA-256 of bytes that come in several requests: what is known so far is kept between them, so that nothing is read again."""

from dataclasses import dataclass, field

from rehashes import PySha256

from documents.models.versions import DocumentVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """As it is kept; empty at the beginning.

    Attributes:
        whole: of all bytes so far.
        block: of those of the block that is under way.
        blocks: the digests of those that are over.
    """

    whole: bytes = b""
    block: bytes = b""
    blocks: list[str] = field(default_factory=list)


class Hashes:
    """The checksum of a whole, and of each of its blocks where it has several."""

    def __init__(self, kept: Kept, *, size: int, length: int) -> None:
        self._whole = _of(kept.whole)
        self._block = _of(kept.block)
        self._digests = list(kept.blocks)
        self._size = size
        self._is_of_blocks = length > DocumentVersion.BLOCK

    def update(self, chunk: bytes) -> None:
        """These come next."""
        self._whole.update(chunk)
        while self._is_of_blocks and chunk:
            left = DocumentVersion.BLOCK * (len(self._digests) + 1) - self._size
            if not left:
                self._digests.append(self._block.finalize())
                self._block = PySha256()
                continue
            self._block.update(chunk[:left])
            self._size += len(chunk[:left])
            chunk = chunk[left:]

    def kept(self) -> Kept:
        """What is known so far."""
        return Kept(whole=self._whole.serialize(), block=self._block.serialize(), blocks=list(self._digests))

    def sha256(self) -> str:
        """Of the whole."""
        return str(_of(self._whole.serialize()).finalize())

    def blocks(self) -> list[str]:
        """Of each block; empty where there is only one."""
        return [*self._digests, str(_of(self._block.serialize()).finalize())] if self._is_of_blocks else []


def _of(state: bytes) -> PySha256:
    return PySha256.deserialize(bytes(state)) if state else PySha256()
