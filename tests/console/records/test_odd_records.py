"""Records that are called oddly, that hold what a file does not know, or that go while somebody looks at them."""

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db.models import ProtectedError
from django.test import Client
from django.utils.translation import gettext_lazy
from pytest_django.fixtures import Settings

from console.notices.mail import send
from console.notices.models import FailureNotice
from console.records.exports import Column
from tests.toy.admin import KettleAdmin, NoWater
from tests.toy.models import Kettle

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/toy/kettle/"


class TestFile:
    @pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
    @pytest.mark.parametrize("value", [date(2026, 1, 2), Decimal("1.50"), ["a"], {"a": 1}, gettext_lazy("a"), True])
    def test_holds_whatever_a_column_shows(
        self, kitchen: Client, monkeypatch: pytest.MonkeyPatch, kind: str, value: Any
    ) -> None:
        monkeypatch.setattr(KettleAdmin, "file_columns", (Column("What", lambda _: value),))
        Kettle.objects.create(due_at=None)

        content = kitchen.get(f"{LIST}download/{kind}/").getvalue()

        if kind == "json":
            assert list(json.loads(content)[0]) == ["What"]
        assert content

    def test_calculates_nothing_that_is_no_text_yet(self, kitchen: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """A person may be called like a formula."""
        Kettle.objects.create(due_at=None, initiated_by=User.objects.create_user("+1-1"))
        monkeypatch.setattr(KettleAdmin, "file_columns", (Column("Who", lambda kettle: kettle.initiated_by),))

        content = kitchen.get(f"{LIST}download/csv/").getvalue().decode("utf-8-sig")

        assert content.splitlines() == ["Who", "'+1-1"]


class TestCount:
    @pytest.mark.parametrize(
        "query",
        [
            "state__exact=cold&state__exact=cold",
            "state__exact=cold&state__exact=ready",
            "state__exact=cold&state__exact=stopped",
            "state__isnull=True",
        ],
    )
    def test_is_of_the_rows_whatever_the_address_says(self, kitchen: Client, query: str) -> None:
        for state, generation in (("cold", 0), ("cold", 1), ("ready", 1)):
            Kettle.objects.create(state=state, generation=generation, due_at=None)

        listed = kitchen.get(f"{LIST}?{query}").context["cl"]

        assert listed.result_count == len(listed.result_list)


class TestGone:
    def test_while_its_form_is_saved_is_told(self, kitchen: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        kettle = Kettle.objects.create(label="Copper", due_at=None)
        save: Callable[..., Any] = KettleAdmin.save_form

        def save_form(shown: Any, *given: Any, **named: Any) -> Any:
            Kettle.objects.filter(pk=kettle.pk).delete()
            return save(shown, *given, **named)

        monkeypatch.setattr(KettleAdmin, "save_form", save_form)

        answer = kitchen.post(f"{LIST}{kettle.pk}/change/", {"label": "Tin", "litres": "3"}, follow=True)

        assert "This record no longer exists." in answer.text

    def test_is_none_that_others_need(self, kitchen: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        kettle = Kettle.objects.create(due_at=None)

        def refuse(*_: Any) -> None:
            raise ProtectedError("needed", {kettle})

        monkeypatch.setattr(KettleAdmin, "delete_queryset", refuse)
        which = kitchen.get(f"{LIST}?_ask=delete_selected&_chosen={kettle.pk}").context["which"]
        form = {"action": "delete_selected", "_selected_action": [kettle.pk], "index": "0", "confirmed": which}

        answer = kitchen.post(LIST, form, follow=True)

        assert "Other records need some of these. Nothing was deleted; delete those first." in answer.text
        assert Kettle.objects.exists()


class TestMail:
    @pytest.fixture
    def notice(self, settings: Settings, kitchen: Client, cook: User) -> FailureNotice:
        settings.HAS_MAIL_SERVER = True
        User.objects.filter(pk=cook.pk).update(email="cook@example.com")
        cook.refresh_from_db()
        return FailureNotice(pk=1, initiated_by=cook, record_type="toy.kettle", reason="no_water")

    def test_about_what_has_a_line_break_in_its_name_is_sent(self, notice: FailureNotice) -> None:
        send(notice, [Kettle.objects.create(label="Copper\r\nBcc: x@example.com", due_at=None)], count=1)

        (sent,) = mail.outbox
        assert sent.subject == "Runsheet: Copper Bcc: x@example.com has failed: no water"
        assert sent.recipients() == ["cook@example.com"]

    def test_leaves_out_what_mends_one_record_only(
        self, notice: FailureNotice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(NoWater, "for_others", "{whose} must fill it.")

        send(notice, [Kettle.objects.create(label="Copper", due_at=None)], count=1)

        assert "Fill" not in mail.outbox[0].body
