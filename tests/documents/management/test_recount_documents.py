"""What `manage.py recount_documents` does and says, and that it is done by itself."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError

from documents import duties
from documents.models import Quota
from documents.services import usage
from tests.documents.making import stored

pytestmark = pytest.mark.django_db


def recounted() -> str:
    out = StringIO()
    call_command("recount_documents", stdout=out)
    return out.getvalue().strip()


def test_puts_right_what_is_wrong_and_says_so(opal: User, ada: User) -> None:
    stored(opal, b"12345")
    stored(ada, b"123")
    Quota.objects.update(used_bytes=0)
    assert recounted() == "2 were wrong and have been put right."
    Quota.objects.filter(user=opal).update(used_bytes=0)
    assert recounted() == "1 was wrong and has been put right."
    assert recounted() == "All were right."
    Quota.objects.update(used_bytes=0)

    duties.recount()

    assert [usage.usage(owner_id=each.pk).used for each in (opal, ada)] == [5, 3]


def test_says_what_the_database_does_not_do(opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(usage, "recount", away)

    with pytest.raises(CommandError, match="lock timeout") as refused:
        recounted()

    assert refused.value.returncode == 2
