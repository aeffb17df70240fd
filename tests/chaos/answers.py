"""Whether each answer in a lease's history was one that whoever was asked could give, and what became of the earlier ones."""

from collections.abc import Callable, Iterator, Mapping

from tests.chaos.story import Known, Look, Story, judgement

TRIES = 5
# What no lease may fail with: our own trouble, and a worker that met what nobody had thought of.
OURS = frozenset({"bug", "crashed", "our_outage", "database_outage", "redis_outage", "host_outage", "row_locked"})
ANSWERS = frozenset({"record_found", "record_not_found", "record_detection"})
# What a lease fails with at once, since trying again would tell nothing else.
BY_SIGHT = frozenset({"another_folder", "archive_out_of_sight", "base_path_missing"})
# What a detection whose base path was changed since the search fails with; it is searched for anew by itself.
ELSEWHERE = "directory_elsewhere"


def says_no_only_where_it_is_so(story: Story) -> Iterator[str]:
    """The tree, as the runner sees it under the base path of that time, must justify it, and so must what is known."""
    for step in story.steps():
        row, seen = step.row, step.seen
        is_no_report = row.transition == "record_detection" and not row.reports
        if not (row.transition == "record_not_found" or is_no_report):
            continue
        if seen is None:
            yield f"took {row.transition}, and nobody can tell of whom {row.path or 'no path'} was asked"
            continue
        if is_no_report and (seen.look is not Look.FOLDER or seen.reports):
            yield f"had no report, but {row.person} sees {seen.look} at {row.path}, with {seen.reports}"
        if row.transition == "record_not_found" and seen.look is not Look.ABSENT:
            yield f"was not found, but {row.person} sees {seen.look} at {row.path}"
        if row.transition == "record_not_found" and (known := step.known_at(row.path)):
            yield f"was not found by {row.person}, but {_told(known)}"


def says_yes_only_where_it_is_so(story: Story) -> Iterator[str]:
    for step in story.steps():
        row, seen = step.row, step.seen
        if row.transition == "record_found" and (seen is None or not seen.is_listed):
            yield f"was found, but {row.person or 'nobody'} sees {seen and seen.look} at {row.path}"
        if row.transition == "record_detection" and row.reports and (seen is None or row.reports != seen.reports):
            yield f"had {row.reports}, but {row.person or 'nobody'} sees {seen and seen.reports} at {row.path}"


def asks_where_it_is_configured(story: Story) -> Iterator[str]:
    for row in story.taken:
        if row.transition in ANSWERS and row.base not in (configured := story.bases_at(row)):
            yield f"took {row.transition} for {row.base or 'no base path'} while it was {sorted(configured)}"


def asks_whoever_started_it(story: Story) -> Iterator[str]:
    for step in story.steps():
        if step.row.transition in ANSWERS and step.row.person != step.runner:
            yield f"was started by {step.runner}, but {step.row.transition} tells what {step.row.person} sees"


def keeps_what_others_have_seen(story: Story) -> Iterator[str]:
    """Whoever cannot judge fails, and what is known stays as it is."""
    for step in story.steps():
        known = step.known_at(step.row.path)
        if step.row.transition in ANSWERS and known and step.seen and known.space != step.seen.space:
            yield f"took {step.row.transition} by {step.row.person}, but {_told(known)}"
    ending, known = story.ending, story.known_at_last
    expected = (known.path.casefold(), known.reports) if known else ("", ())
    if (ending.path.casefold(), ending.reports) != expected:
        yield f"keeps {ending.path or 'no directory'} with {ending.reports}, but its log has told of {expected}"
    if known and (ending.known_person, ending.known_base) != (known.person, known.base):
        yield f"says that {ending.known_person} was asked in {ending.known_base}; it was {known.person} in {known.base}"
    if known and ending.link_space and ending.link_space != known.space:
        yield f"has a link into {ending.link_space}, but its directory lies in {known.space}"


def fails_for_what_is_so(story: Story) -> Iterator[str]:
    """At once for what a person cannot see, or for another base path; for anything else when all tries are spent."""
    for step in story.steps():
        row, seen = step.row, step.seen
        if row.transition != "fail" or row.code in OURS:
            continue
        if row.code == ELSEWHERE:
            if story.bases_at(row) == {row.base}:
                yield f"failed as {row.code}, but {row.base} was configured"
        elif row.code in BY_SIGHT and seen is not None:
            _, expected = judgement(seen, path=row.path, known=step.known_at(row.path))
            if row.code != expected:
                yield f"failed as {row.code}, but {row.person} sees {seen.look} at {row.path}"
        elif row.tries < TRIES:
            yield f"gave up after {row.tries} of {TRIES} tries: {row.code} {row.reason}"


def fails_for_no_outage_of_ours(story: Story) -> Iterator[str]:
    for row in story.taken:
        if row.transition == "fail" and row.code in OURS:
            yield f"failed as {row.code}: {row.reason}"
    if story.ending.failure_code in OURS:
        yield f"ended as {story.ending.failure_code}"


def _told(known: Known) -> str:
    return f"{known.person} has seen {known.path} in {known.space}"


RULES: Mapping[str, Callable[[Story], Iterator[str]]] = {
    "no negative answer that the tree, as the runner sees it, did not justify": says_no_only_where_it_is_so,
    "no positive answer that it did not justify": says_yes_only_where_it_is_so,
    "no answer for another base path than was configured": asks_where_it_is_configured,
    "nobody's Dropbox stands in for another's": asks_whoever_started_it,
    "what one account has seen stays": keeps_what_others_have_seen,
    "nobody gives up too soon": fails_for_what_is_so,
    "no outage of ours is a lease's failure": fails_for_no_outage_of_ours,
}
