"""Programs that send documents, change them, archive and restore them, and fetch them, and what they know of each in the end.

What was answered holds. What was not answered may have been done or not: who asked looks, until there is an answer.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

DOCUMENTS = "/api/v1/documents/"
ANSWERS_WITHIN_S = 60
# Some are of several parts in an object store.
SIZES = (0, 1_000, 1_000, 70_000, 300_000, 3_000_000, 20_000_000)
AGAIN_S = 0.3
SEEN_OF = ("name", "version", "archived_at", "sha256")


class Unanswered(Exception):
    """Nobody knows what has become of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Known:
    """What all of them know together.

    Attributes:
        stored: the SHA-256 of each version that was answered for, by document and number.
        sent: of everything that was sent, answered or not.
        seen: what the last answer said of each document.
        wrong: what was answered and cannot be.
        did: how often what was done; whatever was not answered counts as such.
    """

    stored: dict[tuple[int, int], str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    seen: dict[int, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    under_way: Counter[str] = field(default_factory=Counter)


class Sender(threading.Thread):
    """One of them; its documents are changed by nobody else."""

    def __init__(self, *, port: int, token: str, known: Known, seed: int) -> None:
        super().__init__(name=f"sender {seed}", daemon=True)
        self._port = port
        self._token = token
        self._known = known
        self._rng = random.Random(seed)
        self._mine: list[int] = []
        self.ended = threading.Event()

    def run(self) -> None:
        acts = (
            self._send,
            self._send,
            self._version,
            self._rename,
            self._archive,
            self._restore,
            self._again,
            self._fetch,
        )
        while not self.ended.is_set():
            act = self._rng.choice(acts) if self._mine else self._send
            name = act.__name__.strip("_")
            self._known.under_way[name] += 1
            try:
                act()
                self._known.did[name] += 1
            except Unanswered as error:
                self._known.did[f"{name}, {error}"] += 1
                time.sleep(AGAIN_S)
            finally:
                self._known.under_way[name] -= 1

    # --- What they do -----------------------------------------------------------------------------------------------

    def _content(self) -> bytes:
        content = self._rng.randbytes(8) * (self._rng.choice(SIZES) // 8)
        self._known.sent.add(sha256(content).hexdigest())
        return content

    def _send(self) -> None:
        answer = self._ask("PUT", f"upload/?name=deed-{self._rng.randrange(10**9)}.bin", self._content())
        if answer.status == http.client.CREATED:
            self._mine.append(answer.said["id"])
            self._note(answer)

    def _version(self) -> None:
        self._change("PUT", "versions/", self._content())

    def _rename(self) -> None:
        self._change("PATCH", "", json.dumps({"name": f"renamed {self._rng.randrange(10**6)}.bin"}).encode())

    def _archive(self) -> None:
        self._change("DELETE", "")

    def _restore(self) -> None:
        self._change("POST", "restore/")

    def _again(self) -> None:
        self._change("POST", "versions/1/restore/", b"{}")

    def _fetch(self) -> None:
        answer = self._ask("GET", f"{self._rng.choice(self._mine)}/content/")
        if answer.status == http.client.OK and answer.headers["etag"].strip('"') != sha256(answer.body).hexdigest():
            self._known.wrong.append(f"other bytes were handed out than those of {answer.headers['etag']}")

    def _change(self, method: str, path: str, body: bytes = b"") -> None:
        """As somebody does who has looked, and looks again where nobody answers."""
        document = self._rng.choice(self._mine)
        before = self._look(document)
        try:
            answer = self._ask(method, f"{document}/{path}", body, {"If-Match": before.headers["etag"]})
        except Unanswered:
            self._known.seen.pop(document, None)
            self._look(document)
            raise
        if answer.status < http.client.BAD_REQUEST:
            self._note(answer)

    def _look(self, document: int) -> Answer:
        answer = self._ask("GET", f"{document}/")
        if answer.status != http.client.OK:
            self._known.wrong.append(f"document {document} was answered for, and is {answer.status} now")
            raise Unanswered("gone")
        self._note(answer)
        return answer

    def _note(self, answer: Answer) -> None:
        said = answer.said
        self._known.stored[said["id"], said["version"]] = said["sha256"]
        self._known.seen[said["id"]] = {name: said[name] for name in SEEN_OF}

    def _ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """What is answered.

        Raises:
            Unanswered: nothing is, or that the server is in trouble.
        """
        connection = http.client.HTTPConnection("localhost", self._port, timeout=ANSWERS_WITHIN_S)
        kind = "application/json" if body[:1] == b"{" else "application/octet-stream"
        said = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, **(headers or {})}
        try:
            connection.request(method, f"{DOCUMENTS}{path}", body=body, headers=said)
            found = connection.getresponse()
            answer = Answer(
                status=found.status,
                headers={name.lower(): value for name, value in found.getheaders()},
                body=found.read(),
            )
        except (OSError, http.client.HTTPException):
            raise Unanswered("not answered") from None
        finally:
            connection.close()
        if answer.status >= http.client.INTERNAL_SERVER_ERROR or answer.status == http.client.TOO_MANY_REQUESTS:
            raise Unanswered(
                f"answered {answer.status} {answer.said.get('code')}"
                if answer.body[:1] == b"{"
                else f"answered {answer.status}"
            )
        return answer
