"""People who read lists while leases come, each over HTTP, and what they should not have been shown; imported once Django is ready."""

import http.client
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from itertools import cycle
from queue import Empty, Queue
from threading import Event, Thread

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from api.scopes import Scope
from api.services import tokens
from core.base.clock import now

LIST = "/admin/leases/lease/"
API = "/api/v1/leases/?order=-id&limit=100"
READ = (LIST, API, "/admin/statemachine/transitionlog/", LIST, f"{LIST}download/csv/")
# Twice as long as a list is waited for at the replica, and some more for a busy machine.
ANSWERS_WITHIN_S = 30


class Browser:
    """Somebody's, logged in, and with a token for the interface."""

    def __init__(self, port: int, person: User) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWERS_WITHIN_S)
        made = tokens.make(by=person, name="reader", scopes=Scope.values, lasts=timedelta(days=1), at=now())
        self._of_program = {"Authorization": f"Bearer {made.secret}", "Content-Type": "application/json"}
        self._of_person = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={_session(person)}"}

    def ask(self, path: str, body: Mapping[str, str] | None = None, **headers: str) -> tuple[int, str]:
        """Status and text of the answer."""
        known = self._of_program if path.startswith("/api/") else self._of_person
        content = None if body is None else json.dumps(body)
        self._connection.request("GET" if body is None else "POST", path, content, known | headers)
        answer = self._connection.getresponse()
        told = answer.status, answer.read().decode()
        self._connection.close()  # or the server would, between two questions
        return told


class Crowd:
    """Writers, who look at once for what they have written, and readers, who only look.

    Attributes:
        wrong: what none of them should have been answered.
        took_s: how long the console's list took, by what was done to the replica meanwhile.
        last: of somebody who looks when all others have left.
    """

    def __init__(self, port: int, people: Iterable[User], *, readers: int = 1) -> None:
        self.wrong: list[str] = []
        self.took_s: dict[str, list[float]] = defaultdict(list)
        self.phase = "well"
        self.last = Browser(port, _reader(99))
        self._over = Event()
        self._wishes: dict[int, Queue[tuple[str, str]]] = {person.pk: Queue() for person in people}
        self._asked_for: set[str] = set()
        self._threads = [
            *(Thread(target=self._write, args=(Browser(port, person), self._wishes[person.pk])) for person in people),
            *(Thread(target=self._read, args=(Browser(port, _reader(number)),)) for number in range(readers)),
        ]
        for each in self._threads:
            each.start()

    def make_lease(self, agency: str, number: str, *, by: User) -> None:
        """Have it made; the database tells whether it was."""
        if number not in self._asked_for:
            self._asked_for.add(number)
            self._wishes[by.pk].put((agency, number))

    def leave(self) -> None:
        """All of them, at the end."""
        self._over.set()
        for each in self._threads:
            each.join()

    def compare(self, times: int) -> None:
        """How long the list takes here and there, one after the other while nothing else is done."""
        for _ in range(times):
            for where, control in (("replica", "max-age=0"), ("primary", "no-cache")):
                began = time.monotonic()
                self.last.ask(LIST, None, **{"Cache-Control": control})
                self.took_s[f"alone, {where}"].append(time.monotonic() - began)

    def _write(self, browser: Browser, wishes: "Queue[tuple[str, str]]") -> None:
        while not self._over.is_set():
            with suppress(Empty):
                agency, number = wishes.get(timeout=0.1)
                status, text = browser.ask("/api/v1/leases/", {"agency": agency, "number": number})
                if status != HTTPStatus.CREATED:
                    self.wrong.append(f"{number} was answered with {status}: {text[:200]}")
                    continue
                for path in (LIST, API):
                    self._look(browser, path, has=number)

    def _read(self, browser: Browser) -> None:
        paths = cycle(READ)
        while not self._over.is_set():
            self._look(browser, next(paths))

    def _look(self, browser: Browser, path: str, *, has: str = "") -> None:
        phase, began = self.phase, time.monotonic()
        try:
            status, text = browser.ask(path)
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append(f"{path} was not answered ({phase}): {error!r}")
            return
        if path == LIST:
            self.took_s[phase].append(time.monotonic() - began)
        if status != HTTPStatus.OK:
            self.wrong.append(f"{path} was answered with {status} ({phase}): {text[:200]}")
        elif has not in text:
            self.wrong.append(f"{path} does not show {has} to who has just made it ({phase})")


def _reader(number: int) -> User:
    return User.objects.create_superuser(f"reader-{number}")


def _session(person: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)
