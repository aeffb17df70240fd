"""Whatever a record can fail with has a name, an advice, and buttons that lead somewhere."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from console.notices.errors import EmailNotConfigured, EmailUnavailable, NoAddress
from console.shell.navigation import parts_url
from core.base.errors import JOB, RECORD, SYSTEM, Permanent, RunsheetError, Temporary, failure_of
from leases.errors import DirectoryUnknown

OF_MAILS = (EmailNotConfigured, EmailUnavailable, NoAddress)


def kinds_of(kind: type[RunsheetError]) -> Iterator[type[RunsheetError]]:
    """The product's own kinds, not those that a test derived for itself."""
    for each in kind.__subclasses__():
        if not each.__module__.startswith(("tests", "bench")):
            yield each
        yield from kinds_of(each)


FAILURES: list[type[RunsheetError]] = [*kinds_of(Permanent), *kinds_of(Temporary), DirectoryUnknown]
WITH_REMEDIES = [failure for failure in FAILURES if failure.remedies]


def test_there_are_failures_to_look_at() -> None:
    assert len(FAILURES) > len(WITH_REMEDIES) > 10


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
class TestFailure:
    def test_is_found_by_its_code(self, failure: type[RunsheetError]) -> None:
        assert issubclass(failure, failure_of(failure.code))
        assert failure_of(failure.code) not in {RunsheetError, Permanent, Temporary}

    def test_has_few_words(self, failure: type[RunsheetError]) -> None:
        assert failure.words
        assert "_" not in failure.words

    def test_has_an_advice_of_its_own(self, failure: type[RunsheetError]) -> None:
        assert failure in OF_MAILS or failure.advice != RunsheetError.advice


@pytest.mark.django_db
@pytest.mark.parametrize("failure", WITH_REMEDIES, ids=lambda failure: failure.__name__)
def test_remedies_lead_to_pages_and_ask_for_rights_that_there_are(failure: type[RunsheetError]) -> None:
    there_are = {f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")}
    for remedy in failure.remedies:
        assert remedy.where in {RECORD, JOB} or (parts_url() if remedy.where == SYSTEM else reverse(remedy.where))
        assert set(remedy.rights) <= there_are
