"""The form of a record as it was sent by who had been logged out: filled in, and saved only when it is sent once more."""

from typing import Any, override

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

LOGGED_OUT = "You had been logged out when you sent this, so nothing was saved. Look whether it is still right, and save it again."


class ShownAgain:
    """Of a form: filled in as it was sent, and not saved."""

    def is_valid(self) -> bool:
        """Never; what is wrong with what was typed is marked all the same."""
        return False


class FormShownAgain(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A page with a form that can be shown again after a login."""

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; shown again after a login it saves nothing, whatever it holds."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (ShownAgain, form), {}) if hasattr(request, "is_shown_again") else form

    @override
    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page; that one had been logged out is no error of what was typed."""
        if hasattr(request, "is_shown_again"):
            messages.warning(request, LOGGED_OUT)
        return super().render_change_form(request, context, *args, **kwargs)
