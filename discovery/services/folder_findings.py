"""What was seen of an agency's folders, in sentences for who may set that right."""

from collections.abc import Iterator, Sequence

from cloud.findings import Finding
from cloud.models import DropboxAccount
from core.base.folding import is_same_path
from discovery.services.folder_sight import FolderSight
from leases.models import AgencyStorageConfig
from leases.queries import FoundArchives

# Names in a sentence; more are counted.
NAMED = 3


def good(text: str) -> Finding:
    return Finding(is_good=True, text=text)


def bad(text: str) -> Finding:
    return Finding(is_good=False, text=text)


def note(text: str) -> Finding:
    """What is not there and is not needed by discovery."""
    return Finding(is_good=False, text=text, is_needed=False)


def unseen(text: str) -> Finding:
    """What somebody has to do before anything can be seen, or apart from it."""
    return Finding(is_good=False, text=text, was_seen=False)


def whose(account: DropboxAccount) -> str:
    """An account, and where its paths begin."""
    return f"{account}, {'team space' if account.is_team_space else 'personal space'}"


def of_archives(sight: FolderSight, account: DropboxAccount, *, correct: str = "Correct") -> Finding:
    """Whether the folder of the archives is there, for whom, and how much of it, and whether it can be the right one.

    Args:
        correct: what is said to be done with a path that is wrong; not everybody who reads it may.
    """
    path, by = sight.path, whose(account)
    if sight.folder is None:
        return bad(_not_seen(sight, by, correct))
    if sight.is_file:
        return bad(f"“{path}” is a file. Name the folder that holds the archives.")
    if sight.listing is None:
        return bad(
            f"The folder “{path}” is there, but may not be opened with your Dropbox ({by}). Ask its owner to give you "
            "access, or connect an account that has it; then test again."
        )

    if sight.is_partial:
        return bad(
            f"Of the folder “{path}” your Dropbox ({by}) sees a part only, with "
            f"{archives(len(sight.archives))}. What it does not see there may be "
            "there all the same. Ask the owner for access to the whole, or connect an account that has it."
        )
    return _whole(sight, by, correct)


def _whole(sight: FolderSight, by: str, correct: str) -> Finding:
    """A folder of which everything is seen."""
    there = f"The folder “{sight.path}” is there ({by})"
    if not sight.archives:
        return bad(f"{there}, but holds no archive. {correct} the path, unless it is new.")
    # An archive is named by the number of its lease.
    if not any(character.isdigit() for archive in sight.archives for character in archive.name):
        return bad(
            f"{there}, but no folder in it is named like a lease: {names([archive.name for archive in sight.archives])}. It "
            f"may be a folder above the right one, or another one. {correct} the path, unless that is as it should be."
        )
    return good(f"{there} and holds {archives(len(sight.archives))}.")


def _not_seen(sight: FolderSight, by: str, correct: str) -> str:
    """What is there of the way, and what may be done."""
    above = sight.above
    if above is None:
        return (
            f"The folder “{sight.path}” is not in your Dropbox ({by}). {correct} the path, or connect an account that can "
            "see the folder."
        )
    if above.is_partial:
        return (
            f"The folder “{sight.path}” is not seen with your Dropbox ({by}). Of “{above.path}” that account sees a part "
            "only, so the folder may be there for others. Ask its owner for access, or connect an account that has it."
        )
    missing = sight.path.split("/")[above.path.count("/") + 1]
    return (
        f"The folder “{sight.path}” is not in your Dropbox ({by}): in “{above.path}” there is no “{missing}”. {correct} the "
        "path, or connect an account that can see the folder."
    )


def old_not_seen(old: str) -> Finding:
    return bad(
        f"The folder that is saved now, “{old}”, is not seen with this account either, so it may be the wrong account: "
        "connect one that sees it under “Your Dropbox”, then test again."
    )


def found_by_others(known: FoundArchives, finders: Sequence[str]) -> Finding:
    """The folder is not in sight of this account, and others have seen it."""
    return bad(
        f"{archives(len(known.names))} {'was' if len(known.names) == 1 else 'were'} found in it with the Dropbox of {names(finders)}, so the path may be "
        "right, and the account the wrong one: connect one that sees what that one sees."
    )


def of_one_archive(name: str, *, is_readable: bool) -> Finding:
    """Folders can be shown to somebody who may not open them."""
    if is_readable:
        return good(f"The archive “{name}” can be read.")
    return bad(
        f"The archive “{name}” cannot be read with your Dropbox. Ask its owner to give you access, then test again."
    )


def partly_seen(partial: Sequence[str]) -> Finding:
    return bad(
        f"Of {archives(len(partial))} in it ({names(partial)}) your Dropbox sees a part only, or may not open them. Ask the "
        "owner for access to the whole."
    )


def compared(sight: FolderSight, known: FoundArchives, finders: Sequence[str]) -> Finding:
    """What runs have found before, beside what is in the folder that was looked into.

    Args:
        finders: other accounts that have seen what is known.
    """
    missing, count = sight.missing(known), len(known.names)
    is_same = is_same_path(known.folder, sight.path)
    found = "found in it before" if is_same else f"found under “{known.folder}”"
    where = "there" if is_same else f"under “{sight.path}”"
    if not missing:
        return good(f"{'The archive' if count == 1 else f'All {count:,} archives'} {found} {_are(count)} {where}.")
    text = f"{_not_there(len(missing), count, found=found, where=where)} ({names(missing)})."
    if sight.is_partial:
        return bad(f"{text} As only a part of the folder is seen, that does not mean that they are not there.")
    if is_same and len(missing) == count and finders:
        text += (
            f" It may be another folder with the same path: they were found with the Dropbox of {names(finders)}. Connect an "
            "account that sees what that one sees."
        )
    return bad(text)


def _not_there(missing: int, count: int, *, found: str, where: str) -> str:
    if count == 1:
        return f"The archive {found} is not {where}"
    if missing == count:
        return f"None of the {count:,} archives {found} is {where}"
    return f"{missing:,} of the {count:,} archives {found} {_are(missing)} not {where}"


def kept_for_reference(configuration: AgencyStorageConfig) -> Iterator[tuple[str, str]]:
    """What they are called, and their paths, unless they are that of the archives once more."""
    archives_at = configuration.runsheet_archive_base_path
    folders = (
        ("folder of the documents", configuration.documents_base_path),
        ("folder of the miscellaneous index", configuration.misc_index_base_path),
    )
    return ((name, path) for name, path in folders if path and not is_same_path(path, archives_at))


def of_another(name: str, sight: FolderSight) -> Finding:
    """A folder beside that of the archives: what is not found in it keeps no lease from its answer."""
    called = f"The {name}, “{sight.path}”,"
    if sight.is_file:
        return bad(f"{called} is a file. Name a folder.")
    if sight.folder is None and sight.is_partial:
        return note(
            f"{called} is not seen with your Dropbox; it may be there for others, as only a part of what is above it is seen."
        )
    if sight.folder is None:
        return note(
            f"{called} is not in your Dropbox. No archive waits for it; correct the path, or write the folder of the "
            "archives once more."
        )
    if sight.is_partial:
        return note(f"{called} is seen in part only with your Dropbox. No archive waits for it.")
    return good(f"{called} is there.")


def of_agency(agency: str, sight: FolderSight | None, account: DropboxAccount, *, unseen: Sequence[str]) -> Finding:
    """What one account sees of an agency's folders, for who has just connected it.

    Args:
        sight: of the folder of the archives; None if Dropbox refuses to tell anything of it.
        unseen: what those folders are called that are kept for reference and are not seen.
    """
    if sight is None:
        return bad(f"{agency}: Dropbox refuses to tell anything of the folder of its archives. Ask an administrator.")
    found = of_archives(sight, account, correct="Ask an administrator to correct")
    besides = f" Not seen, but not needed either: the {' and the '.join(unseen)}." if unseen else ""
    return Finding(is_good=found.is_good, text=f"{agency}: {found.text}{besides}")


def no_agency_seen(agencies: Sequence[str], account: DropboxAccount) -> Finding:
    return bad(
        f"None of the agencies' folders ({', '.join(agencies)}) is seen with this account ({whose(account)}). It is probably "
        "the wrong one: connect the account that sees them, or ask an administrator whether the paths are right."
    )


def not_looked_at_to_the_end(why: str) -> Finding:
    return bad(f"Which of the agencies' folders are seen with it could not be looked at to the end: {why}")


def archives(count: int) -> str:
    if count > 1:
        return f"{count:,} archives"
    return "1 archive" if count else "no archive"


def names(named: Sequence[str]) -> str:
    """The first of them in quotation marks, and how many more there are."""
    first = ", ".join(f"“{name}”" for name in named[:NAMED])
    return first if len(named) <= NAMED else f"{first} and {len(named) - NAMED:,} more"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
