"""Nothing that looks like a secret leaves the process."""

import time
from dataclasses import dataclass

import pytest

from core.ops.redaction import REDACTED, redact, redact_text

SHARE_LINK = "https://www.dropbox.com/scl/fo/0a1b2c3d/AHd-9zQ?rlkey=k3yk3yk3y&dl=0"
SHORT_LIVED = "sl.u.AFmL3x-9_abcdefghijklmnopqrstuvwxyz0123456789"
LONG_LIVED = "UDg9YdGOJbIAAAAAAAAAAZx8Qw7e6R5t4Y3u2I1o0PaSdFgHjKlZxCvBnM-_qwer"
API_TOKEN = "rst_4dZr0aT9mQx2LkV7bYw1CeN5uHs8gJp3fXi6oRtAqKl0000Zk1"
LINK = "rsl_4dZr0aT9mQx2LkV7bYw1CeN5uHs8gJp3fXi6oRtAqKl0000Zk1"
PASSWORD = "hunter2-hunter2"
CODE = "Gq4x-9bZ_abcdefghijklmnopqrstu0123456789xyz"


@dataclass
class Account:
    email: str = "olivia@example.com"
    refresh_token: str = "opaque"


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError(PASSWORD)


class TestRedactText:
    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            (f"Authorization: Bearer {SHORT_LIVED}", SHORT_LIVED),
            (f"Authorization: Basic {PASSWORD}", PASSWORD),
            (f"the token was {SHORT_LIVED}.", SHORT_LIVED),
            (f"refused: {LONG_LIVED}", LONG_LIVED),
            (f"grant_type=refresh_token&refresh_token={PASSWORD}&client_id=app", PASSWORD),
            (f'{{"access_token": "{PASSWORD}", "expires_in": 14400}}', PASSWORD),
            (f"{{'refresh_token': '{PASSWORD}'}}", PASSWORD),
            (f'"{{\\"client_secret\\": \\"{PASSWORD}\\"}}"', PASSWORD),
            (f"Dropbox(oauth2_access_token='{PASSWORD}')", PASSWORD),
            (f"redis://:{PASSWORD}@redis.example.com:6379/0", PASSWORD),
            (f"postgresql://runsheet:{PASSWORD}@db.example.com/runsheet", PASSWORD),
            (f"connecting to rediss://default:{PASSWORD}@10.0.0.1:6379 failed", PASSWORD),
            (f"TOKEN_ENCRYPTION_KEYS={PASSWORD}", PASSWORD),
            (f"SECRET_KEY={PASSWORD} DEBUG=1", PASSWORD),
            (f"link {SHARE_LINK} stored", "k3yk3yk3y"),
            (f"link {SHARE_LINK} stored", "AHd-9zQ"),
            ("http://127.0.0.1:8001/scl/fo/1/2?rlkey=abc", "/1/2"),
            ("?rlkey=k3yk3yk3y&dl=0", "k3yk3yk3y"),
            (f'"GET /dropbox/callback/?state=short&code={CODE} HTTP/1.1" 302', CODE),
            (f'"GET /dropbox/callback/?state={CODE}&code=x HTTP/1.1" 302', CODE),
            (f"/admin/login/?next=/dropbox/callback/%3Fstate%3Dx%26code%3D{CODE}%26x%3Dy", CODE),
            (f"/admin/login/?next=%2Fdropbox%2Fcallback%2F%253Fstate%253D{CODE}%2526code%253Dx", CODE),
            (f"code={CODE}&grant_type=authorization_code", CODE),
            ("mail to <olivia.operator+x@mail.example.co.uk>", "olivia"),
            (f"GET /api/v1/files/?search={API_TOKEN}", API_TOKEN),
            (f"GET /api/v1/files/?next=%3Fq%3D{API_TOKEN}%26x%3Dy", API_TOKEN),
            (f"“{API_TOKEN}” is no number", API_TOKEN),
            (f'"GET /share/{LINK}/download/ HTTP/1.1" 200 12 "https://runsheet.example/share/{LINK}/"', LINK[5:]),
            (f"GET /share/{LINK.replace('_', '%5F')}/ HTTP/1.1", LINK[5:]),
            (f"GET /share/{LINK.replace('4', '%34')}/ HTTP/1.1", LINK[6:]),
            (f"GET /share/{LINK[:-3]} HTTP/1.1", LINK[5:-3]),
            (f"/admin/login/?next=%2Fshare%2F{LINK.replace('_', '%255F')}%2F", LINK[5:]),
            (f"the link is {LINK}.", LINK[5:]),
            (f"pending → active, SECRET_KEY={PASSWORD}", PASSWORD),
            (f"ſecret={PASSWORD}", PASSWORD),  # noqa: RUF001 - the letter that is taken for an s
            (f"authorızation: {PASSWORD}", PASSWORD),  # noqa: RUF001 - the letter that is taken for an i
            (f"EMAİL: {PASSWORD}", PASSWORD),
            ("gAAAAABlZmFrZS1mZXJuZXQtdG9rZW4tdGV4dA==", "gAAAAAB"),
        ],
    )
    def test_blots_out(self, text: str, secret: str) -> None:
        redacted = redact_text(text)

        assert secret not in redacted
        assert REDACTED in redacted
        assert redact_text(redacted) == redacted

    @pytest.mark.parametrize(
        "text",
        [
            "files/list_folder path=/Federal Workspace/^Runsheet Workspace/Runsheet Archive/NMNM 0501759 ok in 0.312 s",
            "/usr/share/postgresql/16/extension/plpgsql.control is missing",
            "GET /share/ HTTP/1.1 404",
            "job: leases_lease-17-searching-2 begins, try 1",
            "account=dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc",
            "the access token of this account expires soon; 3 tokens renewed",
            "https://api.dropboxapi.com/2/files/list_folder",
            "postgresql://localhost:5432/runsheet",
            "/admin/leases/lease/?state=failed&failure_code=base_path_missing_for_this_agency",
            "/dropbox/callback/?error=access_denied",
            "2026-01-31T12:00:00.000+00:00",
        ],
    )
    def test_leaves_the_rest_alone(self, text: str) -> None:
        assert redact_text(text) == text

    @pytest.mark.parametrize(
        "part",
        [
            "a",
            "A",
            "a-",
            "a.",
            "://:x",
            "a@",
            "token",
            "token=",
            "https://",
            "e-mail: ",
            "sl.",
            "\\",
            "?code=",
            "%3Fcode%3D",
            "%25",
        ],
    )
    def test_takes_time_in_proportion_to_the_text(self, part: str) -> None:
        began = time.process_time()

        redact_text(part * (100_000 // len(part)))

        assert time.process_time() - began < 3

    def test_keeps_the_rest_of_an_answer_of_dropbox(self) -> None:
        redacted = redact_text(f"GET /dropbox/callback/?state={CODE}&code={CODE}&more=1 HTTP/1.1")

        assert redacted == f"GET /dropbox/callback/?state={REDACTED}&code={REDACTED}&more=1 HTTP/1.1"


class TestRedact:
    def test_goes_by_the_names_of_values(self) -> None:
        said = {
            "headers": [{"Authorization": "x"}, {"Cookie": "y"}],
            "refresh_token": ["opaque"],
            "user": {"email": "z"},
        }

        assert redact(said) == {
            "headers": [{"Authorization": REDACTED}, {"Cookie": REDACTED}],
            "refresh_token": REDACTED,
            "user": {"email": REDACTED},
        }

    def test_keeps_numbers_and_truths(self) -> None:
        said = {"lease_id": 17, "duration_s": 0.3, "token": True, "email": None, "ok": False}

        assert redact(said) == said

    def test_shows_what_is_not_json_without_its_secrets(self) -> None:
        shown = redact({"account": Account(), "pair": (Account().email, 1)})

        assert shown["pair"] == [REDACTED, 1]
        assert "olivia" not in str(shown)
        assert "opaque" not in str(shown)
        assert "Account(" in shown["account"]

    def test_survives_what_cannot_be_shown(self) -> None:
        assert redact(Unshowable()) == "<Unshowable that cannot be shown: ValueError>"
