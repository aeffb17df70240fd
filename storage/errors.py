"""What can go wrong with a run of the index. What back-ends say stands in `storage.backends.errors`."""

from http import HTTPStatus

from core.base.errors import Permanent, Refused, Temporary


class RootUnknown(Refused):
    """There is no such root. See STORAGE_ROOTS in the settings."""

    code = "root_unknown"
    field = "root"


class RootNotThere(Refused):
    """The root is not there. Nothing is concluded from that; see that it is mounted, then look again."""

    code = "root_not_there"
    status = HTTPStatus.CONFLICT
    words = "root not there"
    became = "stopped"
    advice = "See that the root is mounted, then look again"


class IndexBraked(Refused):
    """So many files are missing that nothing is concluded. See that all of it is mounted, then look again."""

    code = "index_braked"
    words = "held by the brake"
    became = "stopped"
    advice = "See that all of it is mounted; let the run go on only if the files were taken away on purpose"


class IndexAnomalies(Refused):
    """Something in storage could not be indexed, or not be read."""

    code = "index_anomalies"
    words = "anomalies in storage"
    became = "ended"
    advice = "Read what the run has to say, and mend it in storage"


class RootBusy(Refused):
    """Another run of this root is under way. Wait for it, or stop it."""

    code = "root_busy"
    status = HTTPStatus.CONFLICT


class MarkerMoved(Refused):
    """The root is known by another marker by now. Nothing was changed; look at its page again."""

    code = "marker_moved"


class ModeUnknown(Refused):
    """There is no such mode. It is audit, sync, clean or full."""

    code = "mode_unknown"
    field = "mode"


class NeedsForce(Refused):
    """This mode deletes rows. Say that you mean it, by “force”; or look first, by a dry run."""

    code = "needs_force"
    field = "force"


class UserUnknown(Refused):
    """There is no such user."""

    code = "user_unknown"
    field = "user_id"


class NoChecksums(Refused):
    """Nobody tells checksums of what lies in this root. Leave them out."""

    code = "no_checksums"
    field = "checksums"


class NotInParts(Refused):
    """The paths of this root name no users, so it is read as a whole only. Leave the user out."""

    code = "not_in_parts"
    field = "user_id"


class NotOverridden(Refused):
    """The brake is let go only by the number of the files that are missing, or a greater one."""

    code = "not_overridden"
    field = "allow_missing"


class RunGone(Refused):
    """There is no such run any more."""

    code = "run_gone"
    status = HTTPStatus.NOT_FOUND


class LaterRunStands(Refused):
    """A later run of this root has changed rows. Undo that one first."""

    code = "later_run_stands"
    status = HTTPStatus.CONFLICT


class NotThereNow(Refused):
    """This file is not there at the moment. The next run says so; see in the list whether it lies elsewhere."""

    code = "file_not_there_now"


class NotLookedAt(Refused):
    """What lies in this root is told by a cursor, and no single file is looked at. “Look now” on the root's page asks for what has changed."""

    code = "root_not_looked_at"


class NoBackEnd(Refused):
    """Files of this root cannot be downloaded here: it is a directory that is only looked at."""

    code = "root_without_back_end"


class ListingBrokenOff(Temporary):
    """The listing has ended in the middle. It is read again."""

    code = "listing_broken_off"
    words = "listing broken off"


class ListerUnknown(Permanent):
    """Nothing here can list a root of this kind. See STORAGE_ROOTS in the settings."""

    code = "lister_unknown"
    words = "unknown kind of root"
    advice = "Correct STORAGE_ROOTS in the settings, then look again"
