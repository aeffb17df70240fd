"""What PostgreSQL's log says of who has sent what."""

from bench.statements import Told, by_program

LOG = (
    "creator|71|LOG:  statement: BEGIN\n"
    "creator|71|LOG:  statement: INSERT INTO lease\n\tVALUES (1)\n"
    "workers|72|LOG:  execute <unnamed>: UPDATE lease\n"
    "workers|72|DETAIL:  Parameters: $1 = '1'\n"
    "workers|72|LOG:  statement: SAVEPOINT one\n"
    "creator|71|LOG:  statement: COMMIT\n"
    "creator|71|LOG:  statement: SELECT set_config('application_name', 'onlooker', false)\n"
    "onlooker|71|LOG:  statement: SELECT 1\n"
    "onlooker|71|LOG:  statement: RESET application_name\n"
    "|9|LOG:  checkpoint starting: time\n"
)


class TestByProgram:
    def test_tells_each_programs_statements_in_order(self) -> None:
        assert by_program(LOG) == {
            "creator": ["BEGIN", "INSERT INTO lease VALUES (1)", "COMMIT"],
            "workers": ["UPDATE lease", "SAVEPOINT one"],
            "onlooker": ["SELECT 1"],
        }


class TestTold:
    def test_counts_all_and_the_frames_among_them(self) -> None:
        told = Told(by=by_program(LOG))

        assert (told.count("creator"), told.frame_count("creator")) == (3, 2)
        assert (told.count("workers"), told.frame_count("workers")) == (2, 1)
        assert (told.count("nobody"), told.frame_count("nobody")) == (0, 0)
