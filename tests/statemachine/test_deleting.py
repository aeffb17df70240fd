"""A record goes; its history stays."""

import pytest
from django.contrib.auth.models import Permission, User

from statemachine.deleting import delete
from statemachine.errors import RecordGone, Stale, TransitionForbidden
from statemachine.models import TransitionLog
from statemachine.transitions import RECONCILER, Step, take
from tests.toy.models import Kettle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis")]


@pytest.fixture
def kettle() -> Kettle:
    """Switched on once."""
    made = Kettle.objects.create(label="red")
    return take(model=Kettle, pk=made.pk, step=Step(transition="switch_on"), actor=RECONCILER)


@pytest.fixture
def ann(db: None) -> User:
    person = User.objects.create_user("ann")
    person.user_permissions.add(Permission.objects.get(codename="delete_kettle"))
    return person


def test_it_is_gone_and_told_as_it_was(kettle: Kettle, ann: User) -> None:
    was = delete(model=Kettle, pk=kettle.pk, user=ann, generation=kettle.generation)

    assert (was.pk, str(was)) == (kettle.pk, "red")
    assert not Kettle.objects.exists()
    assert TransitionLog.objects.filter(record_id=was.pk).count() == 1
    with pytest.raises(RecordGone):
        delete(model=Kettle, pk=was.pk, user=ann)


def test_it_stays_where_it_has_moved_on(kettle: Kettle, ann: User) -> None:
    with pytest.raises(Stale):
        delete(model=Kettle, pk=kettle.pk, user=ann, generation=kettle.generation - 1)

    assert Kettle.objects.exists()


def test_it_stays_where_the_person_may_not(kettle: Kettle) -> None:
    with pytest.raises(TransitionForbidden, match="delete kettles"):
        delete(model=Kettle, pk=kettle.pk, user=User.objects.create_user("bob"))

    assert Kettle.objects.exists()
