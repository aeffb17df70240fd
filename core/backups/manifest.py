"""What a backup says of itself, in plain JSON: what is in it, how much, and what is needed to use it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from core.backups.errors import BackupDamaged, BackupRefused

FORMAT: Literal[1] = 1
AT_MOST_BYTES = 16 * 1024 * 1024
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class Shape(BaseModel):
    """Whatever is read has just this form, and nothing beside."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Part(Shape):
    """A file of the backup, as it lies there.

    Attributes:
        sha256: of what lies there, encrypted or not.
    """

    size: Count
    sha256: Digest


class Parts(Shape):
    database: Part
    files: Part
    blobs: Part


class Amount(Shape):
    count: Count
    size: Count


class Servers(Shape):
    """With which versions it was made: of the database, and of `pg_dump`."""

    postgresql: str
    pg_dump: str


class Manifest(Shape):
    """All of it.

    Attributes:
        made_at: of the moment that it holds, by the database's clock.
        root: the marker of the storage that it is of; empty if that had none yet.
        migrations: all that the database had, by app.
        tables: how many rows each has.
        files: what lay in storage, and how much.
        blobs: what of it lies in the place for backups; the same content once.
        missing, damaged: of how many versions of documents there was no file, or another than was uploaded.
        left_out: how many things lay in storage that no backup takes, such as symbolic links.
        recipients: the public keys that it is encrypted with; none: it is not.
        keys: the fingerprints of the secrets that are needed beside it, by their variable.
    """

    format: Literal[1]
    id: str
    made_at: AwareDatetime
    runsheet: str
    servers: Servers
    root: str
    migrations: dict[str, list[str]]
    tables: dict[str, Count]
    files: Amount
    blobs: Amount
    missing: Count
    damaged: Count
    left_out: Count
    recipients: list[str]
    keys: dict[str, list[str]]
    parts: Parts

    @property
    def is_sealed(self) -> bool:
        """Whether it is encrypted."""
        return bool(self.recipients)

    @property
    def rows(self) -> int:
        """Of all tables together."""
        return sum(self.tables.values())


def written(manifest: Manifest) -> bytes:
    """As it lies there."""
    return f"{manifest.model_dump_json(indent=1)}\n".encode()


def read(content: bytes) -> Manifest:
    """What stands there.

    Raises:
        BackupRefused: a newer Runsheet has written it.
        BackupDamaged: it is no manifest.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if first["loc"] == ("format",) and first["type"] == "literal_error":
            raise BackupRefused("A newer Runsheet has made this backup. Upgrade Runsheet, then repeat.") from error
        place = ".".join(str(part) for part in first["loc"])
        raise BackupDamaged(f"The manifest cannot be used: {place}: {first['msg']}.") from error
