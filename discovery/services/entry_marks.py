"""What the index keeps of an entry of Dropbox beside its name, size and time: one text, in the column `etag`.

The words are separated by blanks: `id:…` first, of a file its revision, `ns:…` where a directory is a shared folder, `partial`
where the account sees only a part of it.
"""

from dataclasses import dataclass

REVISION, NAMESPACE, PARTIAL = "rev:", "ns:", "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What Dropbox says of a file or a directory.

    Attributes:
        file_id: its lasting name, which it keeps when it is moved or renamed; empty where Dropbox gave none.
        revision: of a file; another one whenever it was written.
        namespace: of a directory that is shared as a whole, the name of what is shared.
        is_partial: the account may see only a part of the directory, or nothing of it.
    """

    file_id: str
    revision: str = ""
    namespace: str = ""
    is_partial: bool = False

    @classmethod
    def read(cls, etag: str) -> "Mark":
        file_id, _, rest = etag.partition(" ")
        words = rest.split()
        return cls(
            file_id=file_id,
            revision=next((word[len(REVISION) :] for word in words if word.startswith(REVISION)), ""),
            namespace=next((word[len(NAMESPACE) :] for word in words if word.startswith(NAMESPACE)), ""),
            is_partial=PARTIAL in words,
        )

    @property
    def etag(self) -> str:
        words = [
            self.file_id,
            self.revision and REVISION + self.revision,
            self.namespace and NAMESPACE + self.namespace,
        ]
        return " ".join(filter(None, [*words, PARTIAL if self.is_partial else ""]))
