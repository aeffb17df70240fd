"""For every way a lease can end there is something to do."""

from collections.abc import Iterator

from core.errors import Permanent, RunsheetError, Temporary
from discovery.advice import BY_FAILURE, LINK_REFUSED, UNKNOWN_FAILURE, advice_for
from leases.errors import DirectoryUnknown, EmailNotConfigured, EmailUnavailable, NoAddress
from leases.models import CloudLocation, Lease
from leases.states import State


class TestAdviceFor:
    def test_knows_every_code_that_a_lease_can_fail_with(self) -> None:
        codes = {error.code for kind in (Permanent, Temporary) for error in _kinds_of(kind)} | {DirectoryUnknown.code}

        of_mails = {error.code for error in (EmailNotConfigured, EmailUnavailable, NoAddress)}
        assert codes - of_mails - {"permanent", "temporary"} == set(BY_FAILURE)

    def test_tells_what_to_do_about_a_failure(self) -> None:
        lease = Lease(state=State.FAILED, failure_code="configuration_missing")

        assert advice_for(lease) == "Say under “Agencies” where its archives lie; it goes on by itself"

    def test_has_an_answer_to_a_failure_it_does_not_know(self) -> None:
        assert advice_for(Lease(state=State.FAILED, failure_code="of a later version")) == UNKNOWN_FAILURE

    def test_tells_of_a_refused_link_although_the_lease_is_done(self) -> None:
        place = CloudLocation(path="/a", share_refusal="A team policy forbids it.")

        assert advice_for(Lease(state=State.DONE, runsheet_directory=place)) == LINK_REFUSED

    def test_tells_a_report_that_exists_from_one_to_make(self) -> None:
        place = CloudLocation(path="/a", share_url="https://example.com/a")

        with_report, without = (
            advice_for(Lease(state=State.DONE, runsheet_directory=place, runsheet_report_found=found))
            for found in (True, False)
        )

        assert (with_report, without) == ("Use the report that exists", "No report yet; make one")

    def test_has_an_answer_for_every_state(self) -> None:
        assert all(advice_for(Lease(state=state)) for state in State)


def _kinds_of(kind: type[RunsheetError]) -> Iterator[type[RunsheetError]]:
    """The product's own kinds, not those that a test derived for itself."""
    for each in kind.__subclasses__():
        if not each.__module__.startswith("tests"):
            yield each
        yield from _kinds_of(each)
