"""What can go wrong between us and where files lie, named for what happened; each docstring begins with the operator's sentence.

Every back-end translates what its library throws into these, once, where it is called.
"""

from http import HTTPStatus

from core.base.errors import SYSTEM, Permanent, Refused, Remedy, RunsheetError, Temporary

SEE_SYSTEM = Remedy(label="See what the system lacks", where=SYSTEM, rights=("statemachine.use_queues",))


class NotFound(RunsheetError):
    """Nothing lies in storage under this name.

    An answer, not a failure: only that a place answers and has no such file ever becomes this. A place that is not
    there itself is `Denied` or `Unavailable`.
    """

    code = "storage_not_found"
    words = "not in storage"
    advice = "See in the list of files whether it lies elsewhere"


class Exists(Refused):
    """Something lies in storage under this name already, and it stays as it is."""

    code = "storage_exists"
    words = "already in storage"


class BadKey(Refused):
    """Nothing can be stored under this name."""

    code = "storage_bad_key"
    words = "name that cannot be stored"


class Denied(Permanent):
    """The storage does not let us in, or there is no such place in it.

    What was tried with wrong keys, a place that was taken away, a request that it does not accept.
    """

    code = "storage_denied"
    words = "storage does not let us in"
    advice = "Correct the settings of the storage, or the rights there; then run it again"
    remedies = (SEE_SYSTEM,)


class Throttled(Temporary):
    """The storage asks us to slow down."""

    code = "storage_throttled"
    words = "storage asked to slow down"
    advice = "Run it again in some minutes"
    ails = "The storage asks to slow down"


class Unavailable(Temporary):
    """The storage could not be reached or gave no proper answer."""

    code = "storage_unavailable"
    words = "storage out of reach"
    advice = "See whether the storage is up, then run it again"
    ails = "The storage cannot be reached, or gives no proper answer"


class FullDisk(Temporary):
    """The disk with the documents has too little room left, so nothing is added to it.

    Attributes:
        status: what a request is answered with that would have added something.
    """

    code = "storage_full"
    words = "no room left in storage"
    advice = "Make room on the disk with the documents, then run it again"
    ails = "The disk with the documents has too little room left"
    status = HTTPStatus.INSUFFICIENT_STORAGE
