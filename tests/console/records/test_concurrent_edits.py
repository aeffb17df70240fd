"""The form of any record that a machine works on brings back what it was shown with, whatever its fields are."""

from typing import Any, ClassVar

import pytest
from django import forms
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.http import QueryDict
from django.test import Client
from django.utils.html import escape

from console.records.concurrent_edits import UnchangedForm
from tests.console.conftest import page_of
from tests.toy.models import Kettle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


class PersonForm(UnchangedForm):
    """A date with a widget of two fields, a choice of many, a box to tick."""

    class Meta:
        model = User
        fields: ClassVar[list[str]] = ["username", "is_active", "date_joined", "groups"]
        field_classes: ClassVar[dict[str, Any]] = {"date_joined": forms.SplitDateTimeField}
        widgets: ClassVar[dict[str, Any]] = {"date_joined": forms.SplitDateTimeWidget}


class RightForm(UnchangedForm):
    """A relation."""

    class Meta:
        model = Permission
        fields: ClassVar[list[str]] = ["name", "content_type"]


def sent(form: UnchangedForm, **typed: str) -> QueryDict:
    """What a browser sends of it."""
    given = QueryDict(mutable=True)
    for name in form.fields:
        bound = form[name]
        widget, hidden = bound.field.widget, bound.field.hidden_widget()
        _lay(given, widget, bound.html_name, bound.value())
        _lay(given, hidden, bound.html_initial_name, bound.value())
    for name, value in typed.items():
        given[name] = value
    return given


def _lay(given: QueryDict, widget: Any, name: str, value: Any) -> None:
    parts = getattr(widget, "widgets_names", None)
    if parts:
        for part, each in zip(parts, widget.decompress(value), strict=True):
            given[f"{name}{part}"] = str(each)
    elif isinstance(value, list):
        given.setlist(name, [str(getattr(each, "pk", each)) for each in value])
    elif value is True and isinstance(widget, forms.CheckboxInput):
        given[name] = "on"
    elif value not in {None, False}:
        given[name] = str(value)


class TestForm:
    def test_saves_what_nobody_else_has_changed(self, olivia: User) -> None:
        olivia.groups.add(Group.objects.create(name="Cooks"))

        form = PersonForm(sent(PersonForm(instance=olivia), username="olive"), instance=olivia)

        assert form.is_valid(), form.errors

    @pytest.mark.parametrize(
        ("changed", "told"),
        [
            ({"username": "olivette"}, "Username “olivette”"),
            ({"is_active": False}, "Active “False”"),
            ({"date_joined": "2001-02-03T04:05:06Z"}, "Date joined “2001-02-03 04:05:06+00:00”"),
        ],
    )
    def test_is_refused_if_somebody_has(self, olivia: User, changed: dict[str, Any], told: str) -> None:
        mine = sent(PersonForm(instance=olivia))
        User.objects.filter(pk=olivia.pk).update(**changed)

        form = PersonForm(mine, instance=User.objects.get(pk=olivia.pk))

        assert told in form.non_field_errors()[0]

    def test_is_refused_if_somebody_has_chosen_among_many(self, olivia: User) -> None:
        mine = sent(PersonForm(instance=olivia))
        olivia.groups.add(Group.objects.create(name="Cooks"))

        form = PersonForm(mine, instance=olivia)

        assert "Groups “Cooks”" in form.non_field_errors()[0]

    def test_knows_a_relation_again(self) -> None:
        of_kettles, of_people = (ContentType.objects.get_for_model(each) for each in (Kettle, User))
        right = Permission.objects.create(name="Can whistle", codename="whistle", content_type=of_kettles)
        mine = sent(RightForm(instance=right), name="Can sing")

        assert RightForm(mine, instance=right).is_valid()
        Permission.objects.filter(pk=right.pk).update(content_type=of_people)
        assert not RightForm(mine, instance=Permission.objects.get(pk=right.pk)).is_valid()

    def test_of_a_record_that_is_gone_is_refused(self, olivia: User) -> None:
        mine = sent(PersonForm(instance=olivia))
        User.objects.filter(pk=olivia.pk).delete()

        assert "It is now: Username “”" in PersonForm(mine, instance=olivia).non_field_errors()[0]


class TestKettle:
    def test_of_two_cooks_none_undoes_the_other(self, kitchen: Client) -> None:
        kettle = Kettle.objects.create(label="Kitchen", litres=1)
        page = page_of(kitchen, kettle)
        form = page.context["adminform"].form
        mine = sent(form)
        Kettle.objects.update(label="<Cellar>")

        answer = kitchen.post(page.request["PATH_INFO"], mine | {"litres": "2"})

        assert escape("Label “<Cellar>”") in answer.text
        assert Kettle.objects.get().litres == 1
