"""The admin site as the people who work here know it."""

from typing import Any, override

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from core import logins

NOT_LOOKED_AT = "Too many attempts have failed, so this one was not looked at. Wait {minutes} minutes"
TOO_MANY = f"{NOT_LOOKED_AT}, or log in with a browser in which you have logged in before."
TOO_MANY_OLD = f"{NOT_LOOKED_AT}."

# What apps are called, and lists that have no name of their own.
SUBJECTS = {"auth": "People", "discovery": "Dropbox", "django_rq": "System", "statemachine": "What has happened"}
LISTS = {"django_rq": "Queues, jobs and workers"}


class LoginForm(AdminAuthenticationForm):
    """Name and password, but not as many as one likes."""

    @override
    def clean(self) -> dict[str, Any]:
        """Look at the password, unless too many were wrong.

        Raises:
            ValidationError: too many were, or this one is.
        """
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not username or not password or self.request is None:
            return super().clean()
        counters = logins.counters_of(self.request, username=username)
        if not logins.begin(counters):
            raise ValidationError(TOO_MANY.format(minutes=logins.WINDOW_S // 60), code="too_many")
        cleaned = super().clean()
        logins.succeed(counters)
        return cleaned


class PasswordChangeForm(AdminPasswordChangeForm):
    """The old password and a new one; the old one is guessed no more often than at the login."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request

    @override
    def clean_old_password(self) -> str:
        """Look at the old password, unless too many were wrong.

        Raises:
            ValidationError: too many were, or this one is.
        """
        counters = logins.counters_of(self._request, username=self.user.get_username())
        if not logins.begin(counters):
            raise ValidationError(TOO_MANY_OLD.format(minutes=logins.WINDOW_S // 60), code="too_many")
        old_password = super().clean_old_password()
        logins.succeed(counters)
        return old_password


class PasswordChange(PasswordChangeView):
    """Django's page, whose form knows where a try comes from."""

    form_class = PasswordChangeForm

    @override
    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}


class Console(AdminSite):
    """Django's admin, with a way in that counts failures."""

    site_header = site_title = "Runsheet"
    index_title = "Console"
    # Lists of leases need the width more than a second way to the start page.
    enable_nav_sidebar = False
    login_form = LoginForm

    @override
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What is kept, called as the navigation calls it."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["name"] = SUBJECTS.get(app["app_label"], app["name"])
            for model in app["models"]:
                model["name"] = getattr(
                    self._registry[model["model"]], "name", LISTS.get(app["app_label"], model["name"])
                )
        return sorted(apps, key=lambda app: str(app["name"]))

    @override
    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """No form asks for it, and whoever did would search lists past their bounds.

        Raises:
            Http404: always.
        """
        raise Http404

    @override
    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The browser of who gets in is known from then on."""
        response = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == 302:  # noqa: PLR2004 - HTTP's own
            logins.remember_browser(request, response)
        return response

    @override
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The page for one's own new password, with the form that counts."""
        request.current_app = self.name
        view = PasswordChange.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)
