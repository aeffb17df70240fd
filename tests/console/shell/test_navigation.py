"""What stands in the frame of every page, whoever has put it there."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.template import Context, Template
from django.test import Client, RequestFactory

from console.shell import navigation
from console.shell.navigation import Frame, Key, Place, banners, corner, entries, keys, place_of
from tests.roles import in_role

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

PEOPLE = Place(order=20, label="People", address="admin:auth_user_changelist", right="auth.view_user", key="p")
START = Place(order=10, label="Start", address="admin:index")


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame into which no app has put anything."""
    monkeypatch.setattr(navigation, "_FRAMES", {})


def request(path: str, user: User | AnonymousUser) -> HttpRequest:
    asked = RequestFactory().get(path)
    asked.user = user
    return asked


class TestTrail:
    @pytest.mark.parametrize(
        ("address", "place"),
        [
            ("/admin/django_rq/dashboard/", "System"),
            ("/admin/statemachine/transitionlog/", "System"),
            ("/admin/auth/group/", "People"),
            ("/admin/cloud/dropboxaccount/", "People"),
            ("/admin/cloud/cloudlocation/", "Archives"),
        ],
    )
    def test_is_marked_in_the_navigation(self, console: Client, address: str, place: str) -> None:
        text = console.get(address).text

        assert text.count('aria-current="page">' + place + "</a>") == 1


@pytest.mark.usefixtures("empty")
class TestPlaces:
    def test_stand_in_their_order_whoever_came_first(self, olivia: User) -> None:
        navigation.put("second", Frame(places=(PEOPLE,)))
        navigation.put("first", Frame(places=(START,)))

        assert [entry.label for entry in entries(request("/", olivia))] == ["Start", "People"]

    def test_are_put_anew_and_not_twice(self, olivia: User) -> None:
        navigation.put("first", Frame(places=(START, PEOPLE)))
        navigation.put("first", Frame(places=(PEOPLE,)))

        [entry] = entries(request("/", olivia))
        assert (entry.label, entry.url, entry.key, entry.is_search) == ("People", "/admin/auth/user/", "p", False)

    def test_are_for_who_has_the_right(self) -> None:
        navigation.put("all", Frame(places=(START, PEOPLE)))

        assert [entry.label for entry in entries(request("/", in_role("Viewer")))] == ["Start"]
        assert [entry.label for entry in entries(request("/", AnonymousUser()))] == ["Start"]

    @pytest.mark.parametrize(
        ("path", "place"),
        [
            ("/admin/", "Start"),
            ("/admin/auth/user/", "People"),
            ("/admin/auth/user/7/change/", "People"),
            ("/admin/toy/kettle/", "People"),
            ("/admin/elsewhere/", None),
        ],
    )
    def test_are_where_their_pages_are_and_what_other_apps_say_belongs_there(
        self, olivia: User, path: str, place: str | None
    ) -> None:
        navigation.put("console", Frame(places=(START, PEOPLE)))
        navigation.put("toy", Frame(belongs={PEOPLE.address: ("toy/kettle/",)}))

        found = place_of(request(path, olivia))

        assert (found.label if found else None) == place


@pytest.mark.usefixtures("empty")
class TestKeys:
    def test_stand_in_their_order(self, olivia: User) -> None:
        navigation.put("b", Frame(keys=(Key(order=2, presses=("b",), words="B"),)))
        navigation.put("a", Frame(keys=(Key(order=1, presses=("a",), words="A"),)))

        assert [key.words for key in keys(request("/", olivia))] == ["A", "B"]

    @pytest.fixture
    def add(self, empty: None) -> None:
        key = Key(order=1, presses=("a", "b"), words="Add", address="admin:auth_user_add", right="auth.add_user")
        navigation.put("a", Frame(keys=(key,)))

    @pytest.mark.usefixtures("add")
    def test_may_follow_a_link_of_the_page(self, olivia: User) -> None:
        text = self.shown(Context({"request": request("/", olivia)}))

        assert 'data-follows="a" data-to="/admin/auth/user/add/"' in text
        assert "<kbd>a</kbd>, <kbd>b</kbd>" in text

    @pytest.mark.usefixtures("add")
    def test_tell_who_may_not_go_there_no_address(self) -> None:
        text = self.shown(Context({"request": request("/", in_role("Viewer"))}))

        assert "<kbd>a</kbd>, <kbd>b</kbd>" in text
        assert "data-to" not in text

    def test_are_none_where_nobody_asks(self) -> None:
        assert "<kbd>" not in self.shown(Context())

    def shown(self, context: Context) -> str:
        return Template("{% load console %}{% console_keys %}").render(context)


@pytest.mark.usefixtures("empty")
class TestPieces:
    def test_of_the_corner_stand_in_their_order(self, olivia: User) -> None:
        navigation.put("b", Frame(corner={2: lambda _: "B"}))
        navigation.put("a", Frame(corner={1: lambda asked: asked.path}))

        assert list(corner(request("/a", olivia))) == ["/a", "B"]

    def test_of_the_persons_own_stand_in_their_order(self, olivia: User) -> None:
        navigation.put("b", Frame(own={2: lambda _: "B"}, corner={1: lambda _: "C"}))
        navigation.put("a", Frame(own={1: lambda _: "A"}))

        assert (
            Template("{% load console %}{% console_own %}").render(Context({"request": request("/", olivia)})) == "A\nB"
        )

    def test_are_escaped_and_left_out_where_they_are_empty(self, olivia: User) -> None:
        navigation.put("a", Frame(corner={1: lambda _: "<b>", 2: lambda _: ""}, banners=(lambda _: "A & B",)))
        tags = Template("{% load console %}{% console_corner %}|{% console_banners %}")

        assert tags.render(Context({"request": request("/", olivia)})) == "&lt;b&gt;|A &amp; B"
        assert tags.render(Context()) == "|"
        assert list(banners(request("/", olivia))) == ["A & B"]


@pytest.mark.usefixtures("empty")
class TestPartsUrl:
    def test_is_the_address_that_one_app_has_said(self) -> None:
        navigation.put("a", Frame(places=(START,)))
        navigation.put("b", Frame(parts="admin:index"))

        assert navigation.parts_url() == "/admin/"

    def test_is_empty_where_nobody_tells_it(self) -> None:
        assert navigation.parts_url() == ""
