"""What the project itself puts into the console: what is about all apps."""

from console.shell import navigation, people
from console.shell.navigation import Frame, Place

FRAME = Frame(
    parts="system",
    places=(
        Place(
            order=60,
            label="System",
            address="system",
            right="statemachine.use_queues",
            also=("django_rq/", "statemachine/transitionlog/"),
        ),
    ),
)
# As the migration makes them.
ROLES = (
    "What the person may do. Viewer: look at leases and storage. Operator: add leases, run discovery and compare storage with "
    "its index, too. Administrator: let the index change, and look after agencies, people and the system, too. Only roles that hold nothing you lack yourself are offered."
)


def declare() -> None:
    """Put it in the console, once the apps are there."""
    navigation.put("core", FRAME)
    people.explain(groups=ROLES)
