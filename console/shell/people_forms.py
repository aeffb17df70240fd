"""Forms of people and roles that ask for what the console knows, in its words."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, override

from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm
from django.contrib.auth.models import Permission
from django.forms import ModelMultipleChoiceField
from django.forms.models import ModelChoiceIterator


class BySubject(ModelChoiceIterator):  # type: ignore[type-arg]  # not generic at run time
    """The rights under the names of what they are about."""

    @override
    def __iter__(self) -> Iterator[Any]:
        for subject, rights in groupby(self.queryset, key=subject_of):
            yield subject, [self.choice(right) for right in rights]


class RightsField(ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Rights to tick."""

    iterator = BySubject

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        of_subject = ("content_type__app_label", "content_type__model", "codename")
        kwargs["queryset"] = Permission.objects.select_related("content_type").order_by(*of_subject)
        super().__init__(*args, **kwargs)

    @override
    def label_from_instance(self, obj: Permission) -> str:
        """“Can add user” stands under “User” already."""
        return obj.name.removeprefix("Can ").capitalize()


class PersonForm(UserChangeForm):  # type: ignore[type-arg]  # not generic at run time
    """Without how the password is kept, which helps nobody."""

    password = None  # type: ignore[assignment]  # so a form drops a field of its base


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # not generic at run time
    """A new password, twice; whoever is not to get in any more is made inactive instead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True


def subject_of(right: Permission) -> str:
    return right.content_type.name.capitalize()
