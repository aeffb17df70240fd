"""The web of a house that has a network: how leases come in there; imported once Django is ready."""

import http.client
import json
import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus

from django.contrib.auth.models import User

from api.scopes import Scope
from api.services import tokens
from bench.breakable import WEB_PORT, House
from core.base.clock import now

# Longer than a slow way takes, and shorter than one that is cut off.
ANSWERS_WITHIN_S = 5


class Door:
    """With a token for each person; `wrong` is what it should not have answered."""

    def __init__(self, house: House, people: Iterable[User]) -> None:
        (web,), (net,) = house.webs, house.network
        assert web.place is not None
        self._at, self._from = web.place.address, net.servers
        self.wrong: list[str] = []
        self._tokens = {each.pk: _token(each) for each in people}

    def make_lease(self, agency: str, number: str, *, by: User) -> None:
        """Ask for it, once; whether it was made, the database tells. Nobody waits here for a web that is cut off."""
        wish = json.dumps({"agency": agency, "number": number})
        threading.Thread(target=self._ask, args=(wish, self._tokens[by.pk]), daemon=True).start()

    def _ask(self, wish: str, token: str) -> None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(self._at, WEB_PORT)
            connection.sock = self._from.connect(self._at, WEB_PORT, timeout_s=ANSWERS_WITHIN_S)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request("POST", "/api/v1/leases/", wish, headers)
            answer = connection.getresponse()
            if answer.status not in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
                self.wrong.append(f"the web answered {answer.status}: {answer.read()[:200]!r}")
            connection.close()


def _token(person: User) -> str:
    made = tokens.make(by=person, name="door", scopes=[Scope.LEASES_WRITE], lasts=timedelta(days=1), at=now())
    return made.secret
