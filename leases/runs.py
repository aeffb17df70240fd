"""What a person may start and stop with a lease: each a step to take at the door, whoever asks for it."""

from statemachine.transitions import Step

FULL_DISCOVERY = Step(transition="start_search", arguments={"follow_through": True}, reason="full discovery")
SEARCH = Step(transition="start_search", arguments={"follow_through": False}, reason="search")
MAKE_ARCHIVE = Step(transition="make_archive", reason="the archive is to be made")
DETECTION = Step(transition="start_detection", reason="detection")
STOP = Step(transition="cancel", reason="stopped")
