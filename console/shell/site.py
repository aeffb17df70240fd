"""The admin site as the people who work here know it."""

from datetime import timedelta
from functools import partial, wraps
from http import HTTPStatus
from typing import Any, cast, override

from django.apps import apps
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache

from console.records import sent
from console.records.lists import RecordList
from core.http import kept_posts, logins, uploads

NOT_LOOKED_AT = "Too many attempts have failed, so this one was not looked at. Wait {minutes} minutes"
TOO_MANY = f"{NOT_LOOKED_AT}, or log in with a browser in which you have logged in before."
TOO_MANY_OLD = f"{NOT_LOOKED_AT}."

# What apps are called, and lists that have no name of their own.
# An app of ours says it in its configuration, as `console_name`.
SUBJECTS = {"auth": "People", "django_rq": "System", "statemachine": "What has happened"}
LISTS = {"django_rq": "Queues, jobs and workers"}
# Where Django registers its own lists of people and roles.
DJANGOS = "django.contrib.auth.admin"

NOT_KEPT = (
    "What was sent before this login is not shown again: it was sent more than 15 minutes ago, or by somebody else. Nothing "
    "was done."
)


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
    # Lists need the width more than a second way to the start page.
    enable_nav_sidebar = False
    login_form = LoginForm

    @override
    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take a list, but for those of Django's own for people and roles, for which the console has others.

        Django registers them as soon as their module is imported, which the console's build on.
        """
        if getattr(admin_class, "__module__", "") == DJANGOS:
            return
        super().register(model_or_iterable, admin_class, **options)

    @override
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What is kept, called as the navigation calls it.

        Django asks for all of it for each page, whose sidebar would show it. Here none does, so it is made when it is read.
        """
        if app_label:
            return self._app_list(request, app_label)
        return cast("list[Any]", SimpleLazyObject(partial(self._app_list, request)))

    def _app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        found = super().get_app_list(request, app_label)
        for app in found:
            named = getattr(apps.get_app_config(app["app_label"]), "console_name", app["name"])
            app["name"] = SUBJECTS.get(app["app_label"], named)
            for model in app["models"]:
                model["name"] = getattr(
                    self._registry[model["model"]], "name", LISTS.get(app["app_label"], model["name"])
                )
        return sorted(found, key=lambda app: str(app["name"]))

    @override
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Lead who was logged out to the login and back, with what was sent; see `core.http.kept_posts`."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_permission(request):
                address = self._kept(request)
                if hasattr(request, "is_streamed"):
                    uploads.throw_away(request, size=uploads.announced(request))
                return (
                    redirect_to_login(address, reverse("admin:login")) if address else inner(request, *args, **kwargs)
                )
            key = kept_posts.take_mark(request) if kept_posts.AGAIN in request.GET else ""
            if key and request.method == "GET":
                answer = self._show_again(request, key) or inner(request, *args, **kwargs)
                is_page = answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED
                return answer if is_page else HttpResponseRedirect(reverse("admin:index"))
            if request.method == "POST" and kept_posts.AGAIN in request.POST:
                kept_posts.give_back_file(request)
            return inner(request, *args, **kwargs)

        return guarded

    def _kept(self, request: HttpRequest) -> str:
        """Where it is shown again what was sent; empty: nothing of it is kept."""
        is_logout = request.path == reverse("admin:logout")
        return kept_posts.keep(request) if request.method == "POST" and not is_logout else ""

    def _show_again(self, request: HttpRequest, key: str) -> HttpResponse | None:
        """The form as it was sent, or a page that asks whether to do it; None: there is nothing to show."""
        kept = kept_posts.find(request, key)
        if kept is None or kept.address != kept_posts.unmarked(request.get_full_path()):
            messages.warning(request, NOT_KEPT)
            return None
        if self._is_form(request):
            request.method, request.POST = "POST", kept_posts.form_of(kept)  # type: ignore[assignment]  # as the form reads it
            request.is_shown_again = True  # type: ignore[attr-defined]  # read by `console.records.shown_again`, which saves nothing then
            return None
        context = {
            **self.each_context(request),
            "title": "You had been logged out",
            "kept": kept,
            "sent": sent.told(request, kept_posts.form_of(kept), self._registry),
            "form": [(name, value) for name, values in kept.fields for value in values],
            "again": kept_posts.AGAIN,
            "minutes": kept_posts.KEPT // timedelta(minutes=1),
        }
        return render(request, "console/again.html", context)

    def _is_form(self, request: HttpRequest) -> bool:
        """Whether it is the form of a record, which can be filled in without being saved."""
        name = request.resolver_match.url_name if request.resolver_match else ""
        forms = {
            f"{model._meta.app_label}_{model._meta.model_name}_{page}"
            for model, shown in self._registry.items()
            if isinstance(shown, RecordList)
            for page in ("add", "change")
        }
        return name in forms

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
        is_kept = kept_posts.AGAIN in request.GET.get(REDIRECT_FIELD_NAME, request.POST.get(REDIRECT_FIELD_NAME, ""))
        response = super().login(request, {"is_kept": is_kept, **(extra_context or {})})
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
