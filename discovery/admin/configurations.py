"""Where each agency's archives lie: what is typed is looked at with one's own Dropbox before it counts."""

from typing import Any, ClassVar, override

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from discovery.admin.drafts import Draft, forget
from discovery.services.configuration_check import check_configuration
from leases.admin.configuration_changes import PATHS, Change, changes_between
from leases.admin.configurations import AgencyStorageConfigAdmin
from leases.models import AgencyStorageConfig
from leases.services import count_asked_again

# In an address: whose typing is shown again, and about whose typing is asked.
TYPED, QUESTION = "typed", "question"
# In a form: the button that looks, and what the question's button sends.
TEST, CONFIRMED = "_test", "confirmed"
LOOKS = ("GET", "HEAD")

# In a form: where Django leads to once it is saved.
THEN = ("_continue", "_addanother")

GONE = "Nothing waits for your word here any more: it was saved, or you have begun anew since. This is what is saved."
OVERTAKEN = "Nothing was saved: what would change is something else by now than what you were asked about."


class NotConfirmed(Exception):
    """Another place is to be saved, and the person was not asked yet. Ends the transaction."""

    def __init__(self, wanted: AgencyStorageConfig, typed: dict[str, str]) -> None:
        super().__init__()
        self.wanted = wanted
        self.typed = typed


class ConfigurationAdmin(AgencyStorageConfigAdmin):
    """As in the records, and as one's own Dropbox sees it."""

    change_form_template: ClassVar[str] = "discovery/configuration.html"

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Dropbox is asked here only, where no transaction waits for it."""
        if request.method == "POST" and TEST in request.POST and (tried := self._try(request, object_id)):
            return tried
        if request.method in LOOKS and request.GET.get(QUESTION):
            return self._question(request, object_id)
        draft = self._draft(request)
        if request.method in LOOKS and request.GET.get(TYPED) and draft is None:
            messages.warning(request, GONE)
            return HttpResponseRedirect(_address(request))
        shown = {"draft": draft, "waiting": None if draft else self._waiting(request)}
        try:
            return super().changeform_view(request, object_id, form_url, shown | (extra_context or {}))
        except NotConfirmed as asked:
            return self._ask_before_saving(request, asked)

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With what was typed, where the address names it."""
        form = super().get_form(request, obj, change=change, **kwargs)
        draft = self._draft(request)
        if draft is None:
            return form
        return lambda **given: form(draft.typed, instance=given.get("instance"))

    @override
    def save_model(self, request: HttpRequest, obj: AgencyStorageConfig, form: Any, change: bool) -> None:
        """A change of place counts once it is confirmed, and only while it is the one that was asked about.

        Raises:
            NotConfirmed: nothing was saved.
        """
        asked = Draft.named(request.session, request.POST.get(CONFIRMED, ""), page=request.path)
        places = _places(self.changes_to(obj))
        if places and not (asked and asked.is_asked and _places(asked.changes) == places):
            raise NotConfirmed(obj, _typed(form) | {name: request.POST[name] for name in THEN if name in request.POST})
        super().save_model(request, obj, form, change)
        forget(request.session, page=request.path)

    def _try(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Look at what is typed, right or wrong, saved or not; None if there is no such record any more.

        Raises:
            PermissionDenied: nothing was asked.
        """
        obj = self.get_object(request, unquote(object_id)) if object_id is not None else None
        if object_id is not None and obj is None:
            return None
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            raise PermissionDenied
        form = self.get_form(request, obj, change=obj is not None)(data=request.POST, instance=obj)
        form.is_valid()
        wanted = _usable(form)
        draft = self._look(request, wanted, typed=_typed(form), is_asked=False)
        return HttpResponseRedirect(_address(request, **{TYPED: draft.name}))

    def _ask_before_saving(self, request: HttpRequest, asked: NotConfirmed) -> HttpResponse:
        if request.POST.get(CONFIRMED):
            messages.warning(request, OVERTAKEN)
        draft = self._look(request, asked.wanted, typed=asked.typed, is_asked=True)
        return HttpResponseRedirect(_address(request, **{QUESTION: draft.name}))

    def _look(
        self, request: HttpRequest, wanted: AgencyStorageConfig, *, typed: dict[str, str], is_asked: bool
    ) -> Draft:
        assert isinstance(request.user, User)
        before = AgencyStorageConfig.objects.filter(pk=wanted.pk).first() if wanted.pk else None
        return Draft.keep(
            request.session,
            page=request.path,
            typed=typed,
            changes=changes_between(before, wanted),
            findings=check_configuration(configuration=wanted, user=request.user, before=before),
            is_asked=is_asked,
        )

    def _question(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """What would change, what was seen, and whether that is to be saved. Asking changes nothing.

        Raises:
            PermissionDenied: for who may not save it, or no longer.
        """
        if not (self.has_change_permission(request) if object_id else self.has_add_permission(request)):
            raise PermissionDenied
        draft = Draft.named(request.session, request.GET[QUESTION], page=request.path)
        if draft is None or not draft.is_asked:
            messages.warning(request, GONE)
            return HttpResponseRedirect(_address(request))
        agency, path = draft.typed.get("agency", ""), draft.typed.get(PATHS[0], "")
        is_on = "enabled" in draft.typed
        wanted = AgencyStorageConfig(agency=agency, enabled=is_on, runsheet_archive_base_path=path)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Save another place for {agency}?" if object_id else f"Configure {agency} like this?",
            "name": self.name,
            "opts": self.opts,
            "draft": draft,
            "starting": count_asked_again(wanted),
            "is_on": is_on,
            "is_looked_into": any(each.field in ("agency", PATHS[0]) for each in draft.changes),
            "here": _address(request),
            "back": _address(request, **{TYPED: draft.name}),
            "confirmed": CONFIRMED,
        }
        return render(request, "discovery/configuration_question.html", context)

    def _draft(self, request: HttpRequest) -> Draft | None:
        """What the address wants to have shown again."""
        if request.method not in LOOKS or not (name := request.GET.get(TYPED)):
            return None
        return Draft.named(request.session, name, page=request.path)

    def _waiting(self, request: HttpRequest) -> str:
        """The way back to what was typed here and neither saved nor typed once more; empty if there is nothing."""
        draft = Draft.newest(request.session, page=request.path) if request.method in LOOKS else None
        return _address(request, **{TYPED: draft.name}) if draft and draft.changes else ""


def _places(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(each for each in changes if each.is_place)


def _usable(form: Any) -> AgencyStorageConfig:
    """What was typed, without what is wrong with it."""
    fields = {name: getattr(form.instance, name) for name in form.fields if name not in form.errors}
    return AgencyStorageConfig(pk=form.instance.pk, **fields)


def _typed(form: Any) -> dict[str, str]:
    """What the form sends; of a path that is right, the path as it would be kept."""
    sent = {name: form.data[name] for name in _names(form) if name in form.data}
    return sent | {name: getattr(form.instance, name) for name in PATHS if name in sent and name not in form.errors}


def _names(form: Any) -> list[str]:
    return [name for field in form.fields for name in (form[field].html_name, form[field].html_initial_name)]


def _address(request: HttpRequest, **named: str) -> str:
    """This page, as it was come to, with other drafts in its address."""
    query = request.GET.copy()
    for name in (TYPED, QUESTION):
        query.pop(name, None)
    query.update(named)
    return f"{request.path}?{query.urlencode()}" if query else request.path
