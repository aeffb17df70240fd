"""Who looks after people cannot become more than he is."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from tests.roles import in_role

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    """The browser of an Administrator."""
    client.force_login(in_role("Administrator"))
    return client


@pytest.fixture
def owen() -> User:
    """Somebody with the role Operator."""
    user = in_role("Operator")
    User.objects.filter(pk=user.pk).update(username="owen")
    user.refresh_from_db()
    return user


def save(client: Client, person: User, **fields: Any) -> int:
    """Send the form of a person's page; the answer's status."""
    form = {
        "username": person.username,
        "is_active": "on",
        "is_staff": "on",
        "groups": [group.pk for group in person.groups.all()],
        "date_joined_0": "2026-01-02",
        "date_joined_1": "03:04:05",
    }
    return client.post(page("change", person), form | fields).status_code


def page(name: str, person: User) -> str:
    return reverse(f"admin:auth_user_{name}", args=[person.pk])


def above(kind: str, person: User) -> User:
    """The person, who holds now what no Administrator holds."""
    if kind == "superuser":
        person.is_superuser = True
    elif kind == "superuser who is not active":
        person.is_superuser, person.is_active = True, False
    elif kind == "role of one's own":
        person.groups.add(bigger_role())
    else:
        person.user_permissions.add(Permission.objects.get(codename="change_group"))
    person.save()
    return person


def bigger_role() -> Group:
    role = Group.objects.create(name="Owners")
    role.permissions.add(Permission.objects.get(codename="change_group"))
    return role


KINDS = ["superuser", "superuser who is not active", "role of one's own", "right of one's own"]


class TestAdministrator:
    def test_makes_people_and_gives_them_a_role(self, admin: Client, owen: User) -> None:
        form = {
            "username": "nina",
            "password1": "ninety-nine x",
            "password2": "ninety-nine x",
            "is_staff": "on",
        }
        assert admin.post(reverse("admin:auth_user_add"), form).status_code == 302
        nina = User.objects.get(username="nina")

        assert save(admin, nina, groups=[Group.objects.get(name="Operator").pk]) == 302

        assert nina.groups.get().name == "Operator"

    def test_takes_a_role_away(self, admin: Client, owen: User) -> None:
        assert save(admin, owen, groups=[]) == 302

        assert not owen.groups.exists()

    def test_makes_no_superuser(self, admin: Client, owen: User) -> None:
        rights = [right.pk for right in Permission.objects.all()]
        assert save(admin, owen, is_superuser="on", user_permissions=rights) == 302

        owen.refresh_from_db()

        assert not owen.is_superuser
        assert not owen.user_permissions.exists()

    def test_gives_no_role_that_holds_more(self, admin: Client, owen: User) -> None:
        assert save(admin, owen, groups=[bigger_role().pk]) == 200

        assert owen.groups.get().name == "Operator"

    @pytest.mark.parametrize("kind", KINDS)
    def test_changes_nobody_who_holds_more(self, admin: Client, owen: User, kind: str) -> None:
        above(kind, owen)

        assert save(admin, owen, username="mine", is_active="on") == 403

        assert User.objects.get(pk=owen.pk).username == "owen"

    @pytest.mark.parametrize("kind", KINDS)
    def test_sets_no_password_of_who_holds_more(self, admin: Client, owen: User, kind: str) -> None:
        above(kind, owen)
        form = {"password1": "ninety-nine x", "password2": "ninety-nine x", "usable_password": "true"}

        answer = admin.post(page("password_change", owen), form)

        assert answer.status_code == 403
        assert User.objects.get(pk=owen.pk).check_password("operator")

    @pytest.mark.parametrize("kind", KINDS)
    def test_deletes_nobody_who_holds_more(self, admin: Client, owen: User, kind: str) -> None:
        above(kind, owen)
        assert admin.post(page("delete", owen), {"post": "yes"}).status_code == 403

        form = {"action": "delete_selected", "_selected_action": [owen.pk], "post": "yes"}
        admin.post(reverse("admin:auth_user_changelist"), form)

        assert User.objects.filter(pk=owen.pk).exists()

    def test_deletes_others(self, admin: Client, owen: User) -> None:
        assert admin.post(page("delete", owen), {"post": "yes"}).status_code == 302

        assert not User.objects.filter(pk=owen.pk).exists()


class TestSuperuser:
    def test_makes_superusers(self, client: Client, olivia: User, owen: User) -> None:
        client.force_login(olivia)

        assert save(client, owen, is_superuser="on", groups=[bigger_role().pk]) == 302

        owen.refresh_from_db()
        assert owen.is_superuser
        assert owen.groups.get().name == "Owners"


class TestPage:
    def test_lets_whoever_is_added_get_in_with_a_role(self, admin: Client) -> None:
        add = reverse("admin:auth_user_add")
        offered = admin.get(add).context["adminform"].form
        assert offered.initial["is_staff"] is True

        form = {
            "username": "nina",
            "email": "nina@example.com",
            "password1": "ninety-nine x",
            "password2": "ninety-nine x",
        }
        admin.post(add, form | {"is_staff": "on", "groups": [Group.objects.get(name="Viewer").pk]})

        assert Client().login(username="nina", password="ninety-nine x")
        nina = User.objects.get(username="nina")
        assert (nina.is_staff, nina.email, nina.groups.get().name) == (True, "nina@example.com", "Viewer")

    def test_offers_no_role_that_holds_more_to_who_is_added(self, admin: Client) -> None:
        role = bigger_role()
        form = {"username": "nina", "password1": "ninety-nine x", "password2": "ninety-nine x", "groups": [role.pk]}

        assert admin.post(reverse("admin:auth_user_add"), form).status_code == 200

        assert not User.objects.filter(username="nina").exists()

    def test_lists_everybody_with_their_roles(self, admin: Client, owen: User) -> None:
        User.objects.create_superuser("ursula")

        text = admin.get(reverse("admin:auth_user_changelist")).text

        assert 'class="field-roles">Operator</td>' in text
        assert 'class="field-roles">Superuser</td>' in text
        assert ">Roles</a>" in text

    @pytest.mark.parametrize(("chosen", "shown"), [("yes", {"administrator", "owen"}), ("no", {"gone"}), ("", None)])
    def test_lists_who_may_log_in(self, admin: Client, owen: User, chosen: str, shown: set[str] | None) -> None:
        User.objects.create_user("gone", is_staff=True, is_active=False)

        found = admin.get(reverse("admin:auth_user_changelist"), {"enters": chosen}).context["cl"].queryset

        assert {person.username for person in found} == (shown or {"administrator", "owen", "gone"})

    def test_counts_who_has_a_role(self, admin: Client, owen: User) -> None:
        text = admin.get(reverse("admin:auth_group_changelist")).text

        assert text.count('class="field-people">1</td>') == 2

    def test_says_by_which_number_programs_name_a_person(self, admin: Client, owen: User) -> None:
        text = " ".join(admin.get(f"/admin/auth/user/{owen.pk}/change/").text.split())

        assert f'<label>Number:</label> <div class="readonly">{owen.pk}</div>' in text

    def test_says_nothing_of_how_the_password_is_kept(self, admin: Client, owen: User) -> None:
        text = admin.get(page("change", owen)).text

        assert "algorithm" not in text
        assert "salt" not in text
        assert f'href="{page("password_change", owen)}">Set a new password</a>' in text

    def test_asks_for_a_password_and_nothing_else(self, admin: Client, owen: User) -> None:
        address = page("password_change", owen)

        assert "Single Sign-On" not in admin.get(address).text
        assert "This field is required." in admin.post(address, {"usable_password": "false"}).text
        form = {"password1": "ninety-nine x", "password2": "ninety-nine x"}
        assert admin.post(address, form).status_code == 302
        assert Client().login(username="owen", password="ninety-nine x")

    def test_shows_the_rights_of_a_role_by_what_they_are_about(self, client: Client, olivia: User) -> None:
        client.force_login(olivia)
        role = bigger_role()
        address = reverse("admin:auth_group_change", args=[role.pk])
        text = client.get(address).text

        assert "<select" not in text
        assert "<label>Lease</label>" in text
        assert "Start and stop discovery" in text
        wanted = Permission.objects.filter(codename__in=["view_lease", "run_discovery"])
        client.post(address, {"name": "Owners", "permissions": [right.pk for right in wanted]})
        assert set(role.permissions.all()) == set(wanted)
