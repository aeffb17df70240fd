"""RQ's dashboard is closed to who may not use it, at every address, and offered to who may."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from redis import Redis

from tests.console.machine.dashboard.conftest import HOME, MESSAGE, page_of, permitted, queue_of, urls

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.mark.usefixtures("queued")
class TestWhoMayUseIt:
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.matrix
    def test_is_not_staff_with_every_other_permission(self, client: Client, redis: Redis, method: str) -> None:
        staff = User.objects.create_user("staff", is_staff=True)
        staff.user_permissions.set(Permission.objects.exclude(codename="use_queues"))
        client.force_login(staff)

        answers = {url: getattr(client, method)(url, {"post": "yes"}).status_code for url in urls()}

        assert len(answers) > 25
        assert answers == dict.fromkeys(answers, 403)
        assert queue_of(redis).count == 1

    @pytest.mark.matrix
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("token", ["", "sesame"])
    def test_is_nobody_who_is_not_logged_in(
        self, client: Client, redis: Redis, settings: Settings, method: str, token: str
    ) -> None:
        """Not with RQ's own token either, which would be a second way in."""
        settings.RQ_API_TOKEN = token
        bearer = {"Authorization": f"Bearer {token}"}

        answers = {
            url: getattr(client, method)(url, headers=bearer) for url in urls(**({"token": token} if token else {}))
        }
        answers |= {url: getattr(client, method)(url, headers=bearer) for url in urls()}

        assert {answer.status_code for answer in answers.values()} == {302}
        assert {answer["Location"].partition("?")[0] for answer in answers.values()} == {"/admin/login/"}
        assert queue_of(redis).count == 1

    def test_is_nobody_who_is_not_staff(self, client: Client) -> None:
        user = permitted("use_queues")
        User.objects.update(is_staff=False)
        client.force_login(user)

        assert {client.get(url).status_code for url in urls()} == {302}

    def test_is_who_holds_the_permission(self, keeper: Client) -> None:
        answers = {url: keeper.get(url).status_code for url in (HOME, page_of(MESSAGE.job_id), f"{HOME}stats.json")}

        assert answers == dict.fromkeys(answers, 200)

    def test_are_the_ones_to_whom_it_is_offered(self, keeper: Client) -> None:
        assert f'href="{HOME}"' in keeper.get("/admin/").text

    def test_are_not_others_who_would_be_offered_it(self, client: Client) -> None:
        client.force_login(permitted("view_lease", "admin"))

        assert "django_rq" not in client.get("/admin/").text
        assert client.get("/admin/django_rq/").status_code == 404

    def test_is_asked_for_the_token_against_forgery(self, olivia: User, redis: Redis) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(olivia)

        answer = client.post(reverse("admin:django_rq_clear", args=[0]), {"post": "yes"})

        assert answer.status_code == 403
        assert queue_of(redis).count == 1


@pytest.mark.usefixtures("queued")
class TestPages:
    def test_show_a_job_with_its_arguments(self, keeper: Client) -> None:
        text = keeper.get(page_of(MESSAGE.job_id)).text

        assert "statemachine.jobs.run" in text
        assert "<li>leases.lease</li>" in text

    @pytest.mark.matrix
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_break_nowhere(self, keeper: Client, method: str) -> None:
        answers = {url: getattr(keeper, method)(url).status_code for url in urls()}

        assert {url: status for url, status in answers.items() if status not in (200, 302, 405)} == {}

    def test_are_not_rqs_metrics(self, keeper: Client) -> None:
        """They change what they count; the project has its own."""
        assert keeper.get(f"{HOME}metrics").status_code == 404
        assert "Metrics" not in keeper.get(HOME).text

    def test_are_none_of_a_table_that_does_not_exist(self, keeper: Client) -> None:
        for page in ("add", "1/change", "1/delete", "1/history", "1"):
            assert keeper.get(f"{HOME}{page}/").status_code == 404

    def test_of_a_worker_lead_to_it_by_its_bare_name_too(self, keeper: Client) -> None:
        answer = keeper.get(reverse("admin:django_rq_worker_details", args=[0, "w"]), follow=True)

        assert "Worker Info" in answer.text
