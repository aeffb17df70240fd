"""Programs that send documents, change them, share and fetch them, and what they know of each in the end.

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
from urllib.parse import urlsplit

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
class Link:
    """One that was answered for.

    Attributes:
        path: of its page.
        most: so often it may be fetched.
        fetched: so often it was, to the end.
        begun: so often nobody knows whether it was.
        ends: who made it has asked for its end, and was answered, or not.
    """

    path: str
    document: int
    most: int
    fetched: int = 0
    begun: int = 0
    ends: list[bool] = field(default_factory=list)

    @property
    def token(self) -> str:
        return self.path.strip("/").rpartition("/")[2]


@dataclass
class Known:
    """What all of them know together.

    Attributes:
        stored: the SHA-256 of each version that was answered for, by document and number.
        sent: of everything that was sent, answered or not.
        seen: what the last answer said of each document.
        links: those that were answered for, by number.
        wrong: what was answered and cannot be.
        did: how often what was done; whatever was not answered counts as such.
    """

    stored: dict[tuple[int, int], str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    seen: dict[int, dict[str, Any]] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
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
        self._links: list[int] = []
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
            self._share,
            self._open,
            self._open,
            self._revoke,
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

    def _share(self) -> None:
        document, most = self._rng.choice(self._mine), self._rng.randint(1, 4)
        answer = self._ask("POST", f"{document}/shares/", json.dumps({"downloads_at_most": most}).encode())
        if answer.status == http.client.CREATED:
            number, path = answer.said["id"], urlsplit(answer.said["url"]).path
            self._known.links[number] = Link(path=path, document=document, most=most)
            self._links.append(number)

    def _open(self) -> None:
        """As somebody outside, who knows nothing but the address."""
        if not self._links:
            return
        link = self._known.links[self._rng.choice(self._links[-3:])]
        try:
            answer = self._ask("GET", f"{link.path}download/")
        except Unanswered:
            link.begun += 1
            raise
        if answer.status != http.client.OK:
            return
        link.fetched += 1
        digest = answer.headers["etag"].strip('"')
        if True in link.ends:
            self._known.wrong.append(f"{link} was opened after its end")
        if digest != sha256(answer.body).hexdigest() or digest not in self._known.sent:
            self._known.wrong.append(f"{link} has given {digest}, which nobody has sent")

    def _revoke(self) -> None:
        if not self._links:
            return
        number = self._rng.choice(self._links)
        try:
            answer = self._ask("DELETE", f"shares/{number}/")
        except Unanswered:
            self._known.links[number].ends.append(False)
            raise
        self._known.links[number].ends.append(answer.status == http.client.OK)

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
        """What is answered; beyond documents (a path that begins with “/”) one asks without a token.

        Raises:
            Unanswered: nothing is, or that the server is in trouble.
        """
        connection = http.client.HTTPConnection("localhost", self._port, timeout=ANSWERS_WITHIN_S)
        kind = "application/json" if body[:1] == b"{" else "application/octet-stream"
        mine = {} if path.startswith("/") else {"Authorization": f"Bearer {self._token}"}
        said = {**mine, "Content-Type": kind, **(headers or {})}
        try:
            connection.request(method, path if path.startswith("/") else f"{DOCUMENTS}{path}", body=body, headers=said)
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
