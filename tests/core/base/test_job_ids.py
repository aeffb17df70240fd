import pytest

from core.base.job_ids import JOB_ID, JobId, job_label


class TestJobId:
    def test_is_read_as_it_is_written(self) -> None:
        written = JobId(label=job_label("leases.lease"), pk=17, state="not_found", generation=2)

        assert str(written) == "leases_lease-17-not_found-2"
        assert JobId.read(str(written)) == written

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "leases_lease-17-searching",
            "leases_lease-17-searching-2\n",
            "leases_lease-\N{ARABIC-INDIC DIGIT ONE}-searching-2",
            f"leases_lease-{'9' * 5000}-searching-2",
            "0b6c0f7e-3f0f-4a6c-9a75-3d0f4b9ff2f1",
        ],
    )
    def test_of_somebody_else_says_nothing(self, text: str) -> None:
        assert JobId.read(text) is None

    def test_is_found_in_a_sentence(self) -> None:
        assert JOB_ID.search("discovery: statemachine.jobs.run('leases.lease', 17) (leases_lease-17-searching-2)")
