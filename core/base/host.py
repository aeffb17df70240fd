"""What an error of the operating system means. A full disk or a lack of handles is the trouble of this host alone."""

import errno

OUTAGES = {
    errno.ENOSPC: "The disk of this host is full. Make room on it: logs and temporary files go there.",
    errno.EDQUOT: "The quota of this host's disk is used up. Make room on it: logs and temporary files go there.",
    errno.EROFS: "The disk of this host is read-only. See its log.",
    errno.EIO: "The disk of this host fails. See its log.",
    errno.EMFILE: "This process may open no more files. Raise its limit (ulimit -n), and report it.",
    errno.ENFILE: "This host can open no more files. See what holds them.",
    errno.ENOMEM: "This host is out of memory. Give it more, or run fewer programs on it.",
}


def is_outage(error: BaseException) -> bool:
    """This host lacks what every program needs: to be waited out, and nobody's bug."""
    return isinstance(error, OSError) and error.errno in OUTAGES


def in_words(error: OSError) -> str:
    """What is wrong and, where somebody can do something, what."""
    return OUTAGES.get(error.errno or 0, f"This host refuses: {error}")
