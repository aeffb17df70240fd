"""What the pages of all records have in common in the console: what they are called, and how their lists begin."""

from typing import Any, ClassVar, override

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from console.records.lists import RecordList


class RecordAdmin(RecordList):
    """A list and a page that are called what people call them.

    Attributes:
        name: of the list, as the main navigation has it.
        empty: what it means that nothing is in the list, and what to do about it.
        beside: lists that are looked for here: what each is called, the name of its address, the right to see it.
        add_label: of the button, and of the page it leads to.
    """

    name: str
    empty: ClassVar[str] = "Nothing is here yet."
    beside: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    add_label: ClassVar[str] = "Add"
    change_list_template = "console/list.html"
    change_form_template = "console/record.html"

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        beside = [(label, reverse(address)) for label, address, right in self.beside if request.user.has_perm(right)]
        named = {
            "title": self.name,
            "name": self.name,
            "empty": self.empty,
            "beside": beside,
            "add_label": self.add_label,
        }
        return super().changelist_view(request, named | (extra_context or {}))

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        named = {"name": self.name, "subtitle": None}
        return super().changeform_view(request, object_id, form_url, named | (extra_context or {}))

    @override
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["title"] = str(obj) if obj is not None else self.add_label
        return super().render_change_form(request, context, add, change, form_url, obj)


class ReadOnly(RecordList):
    """Records to look at: they are made by what is done, not by typing."""

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; that nobody may add to it is no reason to ask who may."""
        return super().changelist_view(request, {"is_made_otherwise": True} | (extra_context or {}))

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, RecordAdmin):
    """A list and a page of such records."""
