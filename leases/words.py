"""What more than one place says of a lease, in the same words."""


def passed_over_in_words(count: int) -> str:
    """What is said beside “no report” of files that have a report's name, and the form of what programs leave behind."""
    what = "1 file of a report's name was" if count == 1 else f"{count:,} files of a report's name were"
    return f"{what} passed over as a program's remains"
