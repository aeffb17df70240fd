"""Which version of a record it is."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from api import etags
from api.errors import PreconditionFailed, PreconditionMissing
from api.frame import interface
from core.base.clock import now
from statemachine.transitions import Actor, Step, take
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db


@pytest.fixture
def kettle() -> Kettle:
    Kettle.objects.create(label="Copper", due_at=None)
    return Kettle.objects.get()


def asking(method: str = "GET", **headers: str) -> HttpRequest:
    return RequestFactory().generic(
        method, "/api/v1/", headers={each.replace("_", "-"): headers[each] for each in headers}
    )


class TestEtagOf:
    def test_is_a_strong_one_and_the_same_for_the_same_row(self, kettle: Kettle) -> None:
        etag = etags.etag_of(kettle)

        assert etag == etags.etag_of(Kettle.objects.get())
        assert etag.startswith('"')
        assert len(etag) == 29

    @pytest.mark.parametrize(
        "changed", [{"label": "Tin"}, {"generation": 9}, {"due_at": datetime(2026, 1, 1, tzinfo=UTC)}]
    )
    def test_is_another_one_for_whatever_is_changed_in_whatever_way(
        self, kettle: Kettle, changed: dict[str, object]
    ) -> None:
        Kettle.objects.update(**changed)

        assert etags.etag_of(Kettle.objects.get()) != etags.etag_of(kettle)

    def test_does_not_tell_what_the_engine_notes_for_itself(self, kettle: Kettle) -> None:
        Kettle.objects.update(rung_at=now(), claimed_until=now(), turn=999)

        assert etags.etag_of(Kettle.objects.get()) == etags.etag_of(kettle)

    def test_is_another_one_for_what_is_shown_beside_it(self, kettle: Kettle) -> None:
        found = {etags.etag_of(kettle, *beside) for beside in [(), (None,), ("link",), (User(pk=1),), (User(pk=2),)]}

        assert len(found) == 5

    def test_is_another_one_for_another_record_with_the_same_fields(self, kettle: Kettle) -> None:
        other = Kettle.objects.get()
        other.pk = kettle.pk + 1

        assert etags.etag_of(other) != etags.etag_of(kettle)


class TestTold:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
    def test_spares_who_has_it_the_answer(self, method: str, form: str) -> None:
        with pytest.raises(etags.NotModified) as told:
            etags.told(asking(method, If_None_Match=form.format('"abc"')), HttpResponse(), '"abc"')

        answer = interface.on_exception(asking(), told.value)
        assert (answer.status_code, answer["ETag"], answer.content) == (304, '"abc"', b"")

    @pytest.mark.parametrize(("method", "header"), [("GET", ""), ("GET", '"x"'), ("GET", "abc"), ("POST", '"abc"')])
    def test_stands_on_every_other_answer(self, method: str, header: str) -> None:
        response = HttpResponse()

        etags.told(asking(method, If_None_Match=header), response, '"abc"')

        assert response["ETag"] == '"abc"'

    def test_knows_one_that_was_sent_compressed(self) -> None:
        coded = etags.encoded('"abc"', "br")

        with pytest.raises(etags.NotModified) as told:
            etags.told(asking(If_None_Match=f'"x", W/{coded}'), HttpResponse(), '"abc"')

        assert interface.on_exception(asking(), told.value)["ETag"] == coded


class TestRequireMatch:
    @pytest.mark.parametrize("form", ["{}", '"x",{}', "*"])
    def test_lets_pass_who_has_read_what_it_is(self, kettle: Kettle, form: str) -> None:
        etags.require_match(asking("PATCH", If_Match=form.format(etags.etag_of(kettle))), kettle)

    def test_knows_what_was_sent_compressed(self, kettle: Kettle) -> None:
        etags.require_match(asking("PATCH", If_Match=etags.encoded(etags.etag_of(kettle), "gzip")), kettle)

    @pytest.mark.parametrize("headers", [{}, {"If_Match": " "}])
    def test_asks_for_a_version(self, kettle: Kettle, headers: dict[str, str]) -> None:
        with pytest.raises(PreconditionMissing):
            etags.require_match(asking("PATCH", **headers), kettle)

    @pytest.mark.parametrize("form", ["W/{}", '"x"', "x", '""'])
    def test_refuses_all_others(self, kettle: Kettle, form: str) -> None:
        with pytest.raises(PreconditionFailed) as refused:
            etags.require_match(asking("PATCH", If_Match=form.format(etags.etag_of(kettle))), kettle)

        answer = interface.on_exception(asking("PATCH"), refused.value)
        assert (answer.status_code, str(refused.value)) == (412, PreconditionFailed.sentence())

    def test_says_who_was_faster(self, kettle: Kettle, olivia: User) -> None:
        read = etags.etag_of(kettle)
        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=Actor.person(olivia))

        with pytest.raises(PreconditionFailed, match=r"It was last changed by olivia, at 20\d\d-.* UTC\.$"):
            etags.require_match(asking("PATCH", If_Match=read), Kettle.objects.get())

        entry = LogEntry.objects.create(
            user=User.objects.create_user("nina"),
            content_type=ContentType.objects.get_for_model(Kettle),
            object_id=str(kettle.pk),
            action_flag=CHANGE,
        )
        LogEntry.objects.filter(pk=entry.pk).update(action_time=now() + timedelta(seconds=1))
        with pytest.raises(PreconditionFailed, match="by nina"):
            etags.require_match(asking("PATCH", If_Match=read), Kettle.objects.get())
