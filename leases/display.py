"""How a state looks on every page of the console."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from leases.states import STOPPED, STOPPED_LABEL, NoticeState, State

# What is drawn in a square of 16, so that nobody has to tell states apart by their colours.
SIGNS = {
    State.PENDING: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5v3l2 2",
    STOPPED: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6 6h4v4H6z",
    State.SEARCHING: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9M10.5 10.5L14 14",
    State.FOUND: "M2 4h4l2 2h6v7H2z",
    State.NOT_FOUND: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4 12L12 4",
    State.DETECTING: "M4 2h5l3 3v9H4zM6 8h4M6 11h4",
    State.DONE: "M3 8.5l3.5 3.5L13 4.5",
    State.FAILED: "M8 2L1.5 13.5h13zM8 6.5v3.5M8 11.8v.2",
    NoticeState.GATHERING: "M4 4h8M4 8h8M4 12h5",
    NoticeState.SENDING: "M2 4h12v8H2zM2 4l6 5l6-5",
    NoticeState.SENT: "M3 8.5l3.5 3.5L13 4.5",
    NoticeState.NEEDLESS: "M3 8h10",
}
UNKNOWN_SIGN = "M8 8v.1"
LABELS = {**dict(NoticeState.choices), **dict(State.choices), STOPPED: STOPPED_LABEL}


def state_badge(state: str, label: str = "") -> SafeString:
    """A state by colour, sign and word.

    Args:
        state: a state of a lease or a notice; another one gets a plain badge.
        label: other words than the state's own.
    """
    return format_html(
        '<span class="state state-{}">{}{}</span>', state, sign(state), label or LABELS.get(state, state.capitalize())
    )


def sign(state: str) -> SafeString:
    """The state's sign alone, for where the word stands beside it."""
    path = SIGNS.get(state, UNKNOWN_SIGN)
    return format_html('<svg class="sign" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>', path)


def passed_over_in_words(count: int) -> str:
    """What is said beside “no report” of files that have a report's name, and the form of what programs leave behind."""
    what = "1 file of a report's name was" if count == 1 else f"{count:,} files of a report's name were"
    return f"{what} passed over as a program's remains"
