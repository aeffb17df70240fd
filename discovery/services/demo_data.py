"""What `make up` shows on its first run: people, agencies and leases that come to every kind of end."""

from django.contrib.auth.models import Group, User
from django.db import transaction

from cloud.dropbox import gateway_for
from cloud.errors import LinkRefused, NotFound
from cloud.models import CloudLocation
from cloud.services.accounts import connect_account
from cloud.services.locations import forget_link, record_location
from leases.models import AgencyStorageConfig
from leases.queries import leases_numbered
from leases.services import create_lease

OPERATOR = "operator"
NEWCOMER = "newcomer"
# With this the stand-in knows Olivia Operator, who allows what the console asks for and no more; see its README.
REFRESH_TOKEN = "standin-console-olivia"  # noqa: S105 - opens nothing but the stand-in
# And with this Paul Partner, who does not see all that she sees.
COLLEAGUE = "colleague"
COLLEAGUES_TOKEN = "standin-console-paul"  # noqa: S105 - the same

# Where the stand-in's demo archives lie.
BASE_PATHS = {
    "BLM": "/Federal Workspace/^Runsheet Workspace/Runsheet Archive",
    "NMSLO": "/State Workspace/^Runsheet Workspace/Runsheet Report Archive - New Format",
}
LEASES = (
    ("BLM", "NMNM 0501759"),  # a report
    ("BLM", "NMLC 0028446A"),  # no report
    ("BLM", "NMNM 110339"),  # an empty directory
    ("BLM", "NMNM 0014321"),  # only subfolders
    ("BLM", "NMNM 0392787"),  # a report beyond the first page
    ("BLM", "NMLC 0063798"),  # a share link is forbidden
    ("BLM", "NMNM 9999999"),  # no directory
    ("NMSLO", "B0-1234-5"),
    ("NMSLO", "B0-2229-1"),
    ("NMSLO", "14537"),
)
# Their archives are there, and no lease yet: what who tries the console may add.
TO_TRY = (
    ("BLM", "NMNM 0017224"),
    ("BLM", "NMNM 0055142"),
    ("NMSLO", "E0-7179-3"),
    ("BLM", "NMNM 0149957"),
    ("NMSLO", "L0-1077-4"),
)
WITHOUT_DROPBOX = ("BLM", "NMNM 0003606")


def load_demo_data() -> None:
    """Add what is missing of the demo's data; run again, it adds nothing.

    Needs the stand-in, seeded with `demo`, and workers afterwards.

    Raises:
        What `connect_account` raises.
    """
    operator = person(OPERATOR)
    if not hasattr(operator, "dropbox_account"):
        connect_account(user=operator, refresh_token=REFRESH_TOKEN)
    for agency in BASE_PATHS:
        configure(agency)
    for agency, number in LEASES:
        _add(agency, number, operator)
    _add(*WITHOUT_DROPBOX, newcomer())


def renew_links() -> None:
    """Make every stored share link anew: a stand-in that was started again knows none of the old ones.

    Raises:
        What `gateway_for` and `Gateway.create_share_link` raise, but for a link that cannot be had: that is forgotten.
    """
    gateway = gateway_for(User.objects.filter(username=OPERATOR).first())
    for path in CloudLocation.objects.exclude(share_url="").values_list("path", flat=True):
        try:
            link = gateway.create_share_link(path=path)
        except (NotFound, LinkRefused):
            forget_link(path=path)
            continue
        with transaction.atomic():
            record_location(path=path, link=link)


def person(name: str) -> User:
    """The user, made with every permission and no password if there is none."""
    return User.objects.filter(username=name).first() or User.objects.create_superuser(name, f"{name}@example.com")


def newcomer() -> User:
    """An operator as the documentation has it, who has no Dropbox yet; made with the name for a password."""
    if found := User.objects.filter(username=NEWCOMER).first():
        return found
    made = User.objects.create_user(NEWCOMER, f"{NEWCOMER}@example.com", NEWCOMER, is_staff=True)
    made.groups.set(Group.objects.filter(name="Operator"))
    return made


def configure(agency: str) -> None:
    """Say where the agency's archives lie, unless somebody has said so already."""
    base_path = BASE_PATHS[agency]
    workspace = base_path.rpartition("/")[0]
    AgencyStorageConfig.objects.get_or_create(
        agency=agency,
        defaults={
            "runsheet_archive_base_path": base_path,
            "documents_base_path": f"{workspace}/^Document Archive",
            "misc_index_base_path": f"{workspace}/^MI Index",
        },
    )


def _add(agency: str, number: str, created_by: User) -> None:
    if not leases_numbered(agency, [number]).exists():
        create_lease(agency=agency, lease_number=number, created_by=created_by)
