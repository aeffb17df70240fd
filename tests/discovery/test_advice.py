"""For every way a lease can end there is something to do."""

from cloud.models import CloudLocation
from core.base.errors import RunsheetError
from discovery.advice import LINK_REFUSED, advice_for
from leases.models import Lease
from leases.states import State


class TestAdviceFor:
    def test_tells_what_to_do_about_a_failure(self) -> None:
        lease = Lease(state=State.FAILED, failure_code="configuration_missing")

        assert advice_for(lease) == "Say under “Agencies” where its archives lie; it goes on by itself"

    def test_has_an_answer_to_a_failure_it_does_not_know(self) -> None:
        assert advice_for(Lease(state=State.FAILED, failure_code="of a later version")) == RunsheetError.advice

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
