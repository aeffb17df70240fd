"""Whatever is posted about whatever is gone: each address has an answer with a sentence, and none is an error of ours."""

import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from core.http import problems, refusals
from tests.architecture.conftest import WALKED, Browsers, Things, chosen_by, concrete

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.matrix,
    pytest.mark.usefixtures("redis", "queued", "unframed"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

# Of a program's request.
NOT_VALID = {problems.KINDS[code][1] for code in ("bad_request", "not_json")}
# A POST there stands for another method, and says which by a header.
NOT_VALID |= {"Say by X-HTTP-Method-Override which is meant: PATCH or DELETE. Nothing was done."}
FORM = "application/x-www-form-urlencoded"
FIELDS = (
    "generation",
    "expected",
    "state",
    "confirmed",
    "decision",
    "action",
    "_selected_action",
    "number",
    "index",
    "take",
)
IDS = re.compile("<(pk|object_id|id|upload_id|run_id)>")
OF_RECORDS = [address for address in WALKED if IDS.search(address)]
GONE = ("7770777", "9" * 25)


def each_field(*values: str) -> tuple[bytes, str]:
    return "&".join(f"{field}={value}" for field in FIELDS for value in values).encode(), FORM


BODIES = {
    "nothing": (b"", FORM),
    "empty fields": each_field(""),
    "words": each_field("x"),
    "negative numbers": each_field("-1"),
    "big numbers": each_field("9" * 25),
    "huge numbers": each_field("9" * 5_000),
    "fields twice": each_field("0", "1"),
    "a null character": (b"generation=%00", FORM),
    "no UTF-8": (b"generation=%ff%fe&post=\xff\xfe&action=%c3&lease_number=%ff&username=%ff", FORM),
    "half a surrogate": (b"generation=%ed%a0%80&q=%ed%a0%80&username=%ed%a0%80&lease_number=%ed%a0%80", FORM),
    "no multipart": (b"--x\r\nContent-Disposition: form-data; na", "multipart/form-data; boundary=x"),
    "multipart without a boundary": (b"x", "multipart/form-data"),
    "something else": (b'{"generation": 0}', "application/json"),
    "an unknown character set": (b"generation=0", f"{FORM}; charset=nonsense"),
}


def post(client: Client, url: str, body: str) -> Any:
    """The answer; what the request changes is undone."""
    content, kind = BODIES[body]
    with transaction.atomic():
        answer = client.generic("POST", url, content, content_type=kind)
        transaction.set_rollback(True)
    return answer


def text_of(answer: Any) -> str:
    """What a person reads of a refusal, or a program."""
    if answer["Content-Type"] == problems.CONTENT_TYPE:
        return str(answer.json()["detail"])
    found = re.search(r'<h1 id="refusal">.*?</h1>\s*<p>(.*?)</p>', answer.text, re.DOTALL)
    return found[1] if found else ""


class TestAPost:
    @pytest.mark.parametrize("body", ["nothing", "words", "big numbers"])
    @pytest.mark.parametrize("gone", GONE)
    def test_about_what_is_gone_is_answered(self, browsers: Browsers, there: Things, gone: str, body: str) -> None:
        client = browsers["superuser"]
        chosen_by(client)

        for address in OF_RECORDS:
            answer = post(client, concrete(IDS.sub("PK", address), there).replace("PK", gone), body)

            assert answer.status_code in (302, 403, 404, 405), address
            assert answer.status_code == 302 or len(text_of(answer)) > 30, address

    @pytest.mark.parametrize("body", BODIES)
    def test_that_is_odd_is_answered(self, browsers: Browsers, there: Things, body: str) -> None:
        client = browsers["superuser"]
        chosen_by(client)

        for address in WALKED:
            answer = post(client, concrete(address, there), body)

            assert answer.status_code < 500, address
            if answer.status_code == 400:
                assert (
                    text_of(answer) in {refusals.NOT_UNDERSTOOD, *NOT_VALID} or refusals.NOT_UNDERSTOOD in answer.text
                )
