"""Nothing on a lower floor names what belongs to a higher one, which import-linter cannot see (`floors`)."""

from collections.abc import Set as AbstractSet

import pytest

from tests.architecture.floors import (
    HOUSE,
    ROOMS,
    ROOT,
    Named,
    floor_of,
    names_in_code,
    names_in_template,
    offences,
    owners,
    room_of,
)

# What still is so, and why. This list only shrinks: an entry that is mended has to go.
KNOWN: dict[Named, str] = {}


def listed(names: AbstractSet[Named]) -> str:
    """As they would stand in `KNOWN`, to be moved from here when files have moved."""
    return "\n".join(f'    Named("{each.place}", "{each.kind}", "{each.name}"): "",' for each in sorted(names))


class TestFloors:
    def test_name_nothing_of_a_higher_one(self) -> None:
        new = offences() - KNOWN.keys()

        assert not new, f"Declare these above, or move them up:\n{listed(new)}"

    def test_are_not_excused_for_what_is_mended(self) -> None:
        mended = KNOWN.keys() - offences()

        assert not mended, f"These are no offences any more; take them from the list:\n{listed(mended)}"


class TestOwners:
    @pytest.mark.parametrize(
        ("kind", "name", "room"),
        [
            ("address", "leases_lease_changelist", "leases"),
            ("address", "dropbox_connect", "cloud"),
            ("address", "system", "core"),
            ("template", "discovery/overview.html", "discovery"),
            ("tags", "job_record", "console"),
            ("permission", "leases.run_discovery", "leases"),
            ("permission", "statemachine.use_queues", "statemachine"),
            ("setting", "DROPBOX_APP_KEY", "cloud"),
        ],
    )
    def test_are_known(self, kind: str, name: str, room: str) -> None:
        assert owners()[kind][name] == room

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("address", "index"),
            ("address", "password_change"),
            ("address", "auth_user_changelist"),
            ("template", "admin/base_site.html"),
            ("template", "django_rq/jobs.html"),
            ("setting", "DEBUG"),
        ],
    )
    def test_do_not_own_what_packages_bring(self, kind: str, name: str) -> None:
        assert name not in owners()[kind]

    def test_have_something_of_each_kind(self) -> None:
        assert all(owners().values())

    def test_stand_on_a_floor_each(self) -> None:
        assert [room_of(app) for app in HOUSE]
        with pytest.raises(LookupError, match="elsewhere stands on no floor"):
            room_of("elsewhere")

    def test_have_no_room_that_is_gone(self) -> None:
        rooms = [ROOT.joinpath(*room.split(".")) for room in ROOMS]

        assert [room for room in rooms if not any(room.parent.glob(f"{room.name}*"))] == []

    def test_stand_above_what_they_are_made_of(self) -> None:
        heights = [
            floor_of(place)
            for place in ("core/base/errors.py", "core/ops/logs.py", "statemachine/jobs.py", "console/own.py", "cloud/errors.py",
                          "leases/models/records.py", "discovery/errors.py", "core/templates/core/system.html")
        ]  # fmt: skip

        assert heights == sorted(set(heights))


class TestNames:
    @pytest.mark.parametrize(
        ("code", "kind", "name"),
        [
            ('reverse("system")', "address", "system"),
            ('Remedy(where="system")', "address", "system"),
            ('PLACES = ["admin:leases_lease_changelist"]', "address", "leases_lease_changelist"),
            ('INVITING = {"open_archive"}', "address", "open_archive"),
            ('render(request, "cloud/archive.html")', "template", "cloud/archive.html"),
            ('class A:\n    template_name = "core/list.html"', "template", "core/list.html"),
            ('@register.inclusion_tag("admin/leases/nav.html")\ndef nav(): ...', "template", "admin/leases/nav.html"),
            ('user.has_perm("leases.add_lease")', "permission", "leases.add_lease"),
            ('static("leases/console.js")', "static", "leases/console.js"),
            ("settings.DROPBOX_APP_KEY", "setting", "DROPBOX_APP_KEY"),
            ('getattr(settings, "DROPBOX_APP_KEY")', "setting", "DROPBOX_APP_KEY"),
        ],
    )
    def test_are_seen_in_code(self, code: str, kind: str, name: str) -> None:
        assert (kind, name) in names_in_code(code)

    def test_are_not_seen_in_a_word_that_only_looks_like_one(self) -> None:
        assert ("address", "system") not in names_in_code('title = "system"')

    @pytest.mark.parametrize(
        ("template", "kind", "name"),
        [
            ('{% extends "core/record.html" %}', "template", "core/record.html"),
            ("{% include 'admin/leases/keys.html' with a=b %}", "template", "admin/leases/keys.html"),
            ('{% url "admin:leases_lease_change" lease.pk as there %}', "address", "leases_lease_change"),
            ('{% static "leases/list.js" %}', "static", "leases/list.js"),
            ("{% load console i18n %}", "tags", "console"),
            ("{% load console_nav from console %}", "tags", "console"),
            ("{% if perms.leases.run_discovery %}", "permission", "leases.run_discovery"),
        ],
    )
    def test_are_seen_in_templates(self, template: str, kind: str, name: str) -> None:
        assert (kind, name) in names_in_template(template)
