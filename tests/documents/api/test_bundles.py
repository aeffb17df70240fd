"""Many documents as one archive, over HTTP."""

from typing import Any

import pytest

from documents.models import Document
from tests.documents.api.conftest import Program
from tests.documents.making import PDF, stored
from tests.documents.test_bundles import unpacked
from tests.storage.test_api import problem_of

pytestmark = pytest.mark.django_db


def test_comes_with_all_that_may_be_had(oscar: Program, deed: Document) -> None:
    answer = oscar("GET", f"download/?ids={deed.pk}&ids={deed.pk}")

    assert (answer.status_code, unpacked(answer)) == (200, {deed.name: PDF})
    assert answer["Cache-Control"] == "private, no-store, no-transform"


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 422), ("?ids=", 422), ("?ids=x", 422), ("?ids=0", 422), (f"?{'ids=1&' * 301}", 422), ("?ids=999999", 409)],
)
def test_is_refused(oscar: Program, query: str, status: int) -> None:
    answer = oscar("GET", f"download/{query}")

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_has_nothing_that_was_not_verified(oscar: Program, files: Any) -> None:
    document = stored(oscar.user)

    problem = problem_of(oscar("GET", f"download/?ids={document.pk}"))

    assert problem["code"] == "nothing_to_download"
    assert "has not been verified yet" in problem["detail"]
