"""What lists and pages of records have in common, whoever made them."""

import re
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import mark_safe

from console.records.lists import NOT_NARROWED, RecordChangeList, RecordList
from console.templatetags.records import labelled
from tests.frames import unframed  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


class TestLabelled:
    def test_puts_its_heading_to_each_cell(self) -> None:
        cells = [mark_safe(text) for text in ("<td><input></td>", "<th>a</th>", "<td>b</td>", "other")]
        headers = [{"text": "<input>"}, {"text": "name"}, {"text": "A & B"}, {"text": "x"}]

        assert list(labelled(cells, headers)) == [
            "<td><input></td>",
            '<th data-label="Name">a</th>',
            '<td data-label="A &amp; B">b</td>',
            "other",
        ]

    def test_is_in_every_list(self, console: Client) -> None:
        assert '<td data-label="Email address" class="field-email">' in console.get("/admin/auth/user/").text


LISTS = sorted(
    (
        model
        for model in admin.site._registry
        if model._meta.managed and model._meta.app_label not in ("toy", "django_rq")
    ),
    key=lambda model: model._meta.label,
)
# Each has bounds of its own.
SEARCHED_BY_THEMSELVES = ("leases.Lease", "statemachine.TransitionLog")
BACK_REFERENCES = r"^(a|b|ab)*\1\1\1(.*)\2$"
UNKNOWN = ("regex", "iregex", "icontains", "in", "isnull", "range", "gt", "exact__regex", "year")


def list_of(model: type[models.Model], **given: str) -> str:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(given)}"


def undeclared(model: type[models.Model]) -> list[str]:
    """Lookups of each column, and of what hangs on it, that no page leads to."""
    own = [f"{field.name}__{lookup}" for field, lookup in product(model._meta.concrete_fields, UNKNOWN)]
    far = [
        f"{field.name}__{other.name}__startswith"
        for field in model._meta.get_fields()
        if field.related_model and isinstance(field.related_model, type)
        for other in field.related_model._meta.concrete_fields
    ]
    ours: Any = admin.site.get_model_admin(model)
    filtered = {each if isinstance(each, str) else each[0] for each in ours.list_filter if not isinstance(each, type)}
    return sorted({*own, *far} - {f"{name}__isnull" for name in filtered} - set(ours.lookups))


@pytest.mark.matrix
class TestAList:
    @pytest.mark.parametrize("model", LISTS)
    def test_is_one_that_keeps_to_what_it_declares(self, model: type[models.Model]) -> None:
        shown = admin.site.get_model_admin(model)

        assert isinstance(shown, RecordList)
        assert issubclass(shown.get_changelist(None), RecordChangeList)  # type: ignore[arg-type]  # none of them looks

    @pytest.mark.matrix
    @pytest.mark.parametrize("model", LISTS)
    def test_asks_the_database_nothing_that_only_an_address_asks(self, olivia: User, model: type[models.Model]) -> None:
        shown = admin.site.get_model_admin(model)
        for lookup in undeclared(model):
            request = RequestFactory().get(list_of(model, **{lookup: BACK_REFERENCES}))
            request.user = olivia
            with CaptureQueriesContext(connection) as asked:
                answer = shown.changelist_view(request)

            assert (lookup, answer.status_code, answer.headers.get("Location")) == (lookup, 302, list_of(model, e="1"))
            assert not [query for query in asked if "(a|b|ab)" in query["sql"]]

    @pytest.mark.parametrize("model", LISTS)
    @pytest.mark.parametrize("given", [{"e": "1", "pk__regex": "x"}, {"nothing": "1"}, {"nothing__at__all": "1"}])
    def test_says_that_it_is_not_narrowed(
        self, console: Client, model: type[models.Model], given: dict[str, str]
    ) -> None:
        answer = console.get(list_of(model, **given), follow=True)

        assert answer.status_code == 200
        assert NOT_NARROWED in answer.text

    @pytest.mark.parametrize("model", [each for each in LISTS if each._meta.label not in SEARCHED_BY_THEMSELVES])
    @pytest.mark.parametrize("text", ["a " * 11, "x" * 501])
    def test_is_not_searched_for_what_nobody_types(self, console: Client, model: type[models.Model], text: str) -> None:
        assert NOT_NARROWED in console.get(list_of(model, q=text), follow=True).text

    @pytest.mark.matrix
    @pytest.mark.usefixtures("unframed")
    @pytest.mark.parametrize("model", LISTS)
    @pytest.mark.parametrize(
        "given",
        [
            {"p": "9" * 30},
            {"p": "9" * 5_000},
            {"p": "-1"},
            {"p": "x"},
            {"o": ".".join(map(str, range(500)))},
            {"o": "-1.-x.1.1--1"},
            {"all": ""},
            {"_facets": "True"},
            {"_popup": "1"},
        ],
    )
    def test_has_an_answer(self, console: Client, model: type[models.Model], given: dict[str, str]) -> None:
        answer = console.get(list_of(model, **given), follow=True)

        assert answer.status_code == 200
        assert answer.context["cl"].add_facets is False

    def test_is_sorted_only_by_what_has_an_arrow(self, console: Client) -> None:
        log = next(model for model in LISTS if model._meta.label == "statemachine.TransitionLog")

        with CaptureQueriesContext(connection) as asked:
            console.get(list_of(log, o="4.5.0"))

        ordered = (re.search(r"ORDER BY (.*?)( LIMIT|$)", query["sql"]) for query in asked)
        assert {found[1] for found in ordered if found and "statemachine" in found[1]} == {
            '"statemachine_transitionlog"."at" ASC, "statemachine_transitionlog"."id" DESC'
        }

    def test_is_not_searched_past_its_bounds(self, console: Client) -> None:
        asked = {"app_label": "leases", "model_name": "lease", "field_name": "runsheet_directory", "term": "a"}

        assert console.get(reverse("admin:autocomplete"), asked).status_code == 404
