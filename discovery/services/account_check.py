"""Which agencies' folders a person's Dropbox sees, told as soon as it is connected: a wrong account is found out at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from cloud.dropbox import Gateway, gateway_for
from cloud.errors import DropboxRefused
from cloud.findings import Finding
from cloud.models import DropboxAccount
from core.base.errors import RunsheetError
from core.base.folding import is_same_path
from discovery.services import configuration_check
from discovery.services import folder_findings as words
from discovery.services.folder_sight import FolderSight, look_at, look_into
from leases.models import AgencyStorageConfig
from leases.queries import found_archives

# Somebody comes back from Dropbox and waits for the page.
LONGEST_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencySight:
    """What an account sees of one agency's folders.

    Attributes:
        archives: None if Dropbox refuses to tell anything of that folder.
        unseen: what those folders are called that are kept for reference and are not seen.
    """

    agency: str
    account: DropboxAccount
    archives: FolderSight | None
    unseen: tuple[str, ...]

    @property
    def is_seen(self) -> bool:
        return self.archives is not None and self.archives.folder is not None


def check_account(*, user: User) -> list[Finding]:
    """What the person's Dropbox sees of every agency's folders; whatever goes wrong is a finding, too.

    Two calls for each agency, one more for each further folder and each further 2,000 archives. Nothing is found where no
    agency is configured.
    """
    configurations = list(AgencyStorageConfig.objects.all())
    sights: list[AgencySight] = []
    if not configurations:
        return []
    try:
        with configuration_check.in_time(LONGEST_S):
            gateway = gateway_for(user)
            # What was seen before something went wrong is kept.
            sights.extend(_sight_of(each, gateway) for each in configurations)
    except (RunsheetError, ImproperlyConfigured) as error:
        return [*_findings(sights), words.not_looked_at_to_the_end(configuration_check.sentence(error))]
    if not any(each.is_seen for each in sights):
        return [words.no_agency_seen([each.agency for each in sights], sights[0].account)]
    return list(_findings(sights))


def _sight_of(configuration: AgencyStorageConfig, gateway: Gateway) -> AgencySight:
    try:
        archives = look_into(configuration.runsheet_archive_base_path, gateway=gateway)
    except DropboxRefused:
        archives = None
    return AgencySight(
        agency=configuration.agency,
        account=gateway.account,
        archives=archives,
        unseen=tuple(name for name, path in words.kept_for_reference(configuration) if not _is_seen(path, gateway)),
    )


def _is_seen(path: str, gateway: Gateway) -> bool:
    try:
        return look_at(path, gateway=gateway).folder is not None
    except DropboxRefused:
        return False


def _findings(sights: Sequence[AgencySight]) -> Iterator[Finding]:
    for each in sights:
        yield words.of_agency(each.agency, each.archives, each.account, unseen=each.unseen)
        if each.archives and each.archives.listing:
            yield from _missed(each.agency, each.archives, each.account)
        elif each.archives and each.archives.folder is None:
            yield from _seen_by_others(each.agency, each.archives, each.account)


def _seen_by_others(agency: str, sight: FolderSight, account: DropboxAccount) -> Iterator[Finding]:
    """The path is right for those, so it may be the account that is the wrong one."""
    for known in found_archives(agency):
        if is_same_path(known.folder, sight.path) and (finders := configuration_check.other_finders(known, account)):
            yield words.bad(f"{agency}: {words.found_by_others(known, finders).text}")


def _missed(agency: str, sight: FolderSight, account: DropboxAccount) -> Iterator[Finding]:
    """What was found in the very folder that is seen, and is not seen in it."""
    for known in found_archives(agency):
        if is_same_path(known.folder, sight.path) and sight.missing(known):
            finders = configuration_check.other_finders(known, account)
            yield words.bad(f"{agency}: {words.compared(sight, known, finders).text}")
