"""Upload sessions: content that arrives in pieces, before it has a place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropbox_standin.wire import Union, tagged

if TYPE_CHECKING:
    from dropbox_standin.accounts import Account
    from dropbox_standin.tokens import Tokens

LIFETIME_S = 7 * 24 * 3600
BLOCK_BYTES = 4 * 1024 * 1024  # the pieces of a concurrent session are multiples of this
LARGEST_FILE_BYTES = 2**41 - 2**22


class SessionError(Exception):
    """A piece does not fit; `reason` is the specification's `UploadSessionLookupError`."""

    def __init__(self, reason: Union) -> None:
        super().__init__(reason[".tag"])
        self.reason = reason


@dataclass(eq=False)
class Session:
    """One session; the pieces of a concurrent one come in any order."""

    account: Account
    started_at: float
    concurrent: bool = False
    closed: bool = False
    pieces: dict[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces.values()))

    @property
    def is_whole(self) -> bool:
        """Whether each piece begins where the one before it ends."""
        end = 0
        for offset, piece in sorted(self.pieces.items()):
            if offset != end:
                return False
            end += len(piece)
        return True

    def content(self) -> bytes:
        return b"".join(piece for _, piece in sorted(self.pieces.items()))

    def append(self, offset: int, piece: bytes, *, close: bool) -> None:
        """Take one piece.

        Raises:
            SessionError: the session is closed, or the piece does not belong there.
        """
        self._check(offset, piece, close=close)
        if self.closed:
            raise SessionError(tagged("closed"))
        if piece:
            self.pieces[offset] = piece
        self.closed = close

    def check_offset(self, offset: int) -> None:
        """Raises: SessionError: what was received ends elsewhere."""
        if offset != self.size:
            raise SessionError({".tag": "incorrect_offset", "correct_offset": self.size})

    def check_closed(self, offset: int) -> None:
        """Raises: SessionError: it is not ready for a batch of commits."""
        if not self.closed:
            raise SessionError(tagged("not_closed"))
        self.check_offset(offset)

    def _check(self, offset: int, piece: bytes, *, close: bool) -> None:
        if offset + len(piece) > LARGEST_FILE_BYTES:
            raise SessionError(tagged("too_large"))
        if not self.concurrent:
            self.check_offset(offset)
        elif offset % BLOCK_BYTES:
            raise SessionError(tagged("concurrent_session_invalid_offset"))
        elif len(piece) % BLOCK_BYTES and not close:
            raise SessionError(tagged("concurrent_session_invalid_data_size"))


@dataclass
class Sessions:
    """The sessions of all accounts, each good for seven days."""

    tokens: Tokens
    started: dict[str, Session] = field(default_factory=dict)

    def start(self, account: Account, *, content: bytes = b"", close: bool = False, concurrent: bool = False) -> str:
        """A new session's id."""
        session_id = f"pid_upload_session:{self.tokens.random(64)}"
        session = Session(account, self.tokens.clock.time(), concurrent)
        session.append(0, content, close=close)
        self.started[session_id] = session
        return session_id

    def get(self, session_id: str, *, account: Account) -> Session:
        """Raises: SessionError: there is none of this account's, or it is too old."""
        session = self.started.get(session_id)
        if session is None or session.account is not account:
            raise SessionError(tagged("not_found"))
        if self.tokens.clock.time() - session.started_at > LIFETIME_S:
            raise SessionError(tagged("not_found"))
        return session
