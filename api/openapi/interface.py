"""The library's interface, with a description of ours."""

from typing import Any, override

from ninja import NinjaAPI
from ninja.operation import Operation

from api.openapi.document import Document


class Interface(NinjaAPI):
    """What routers are mounted on."""

    @override
    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> Document:
        """The description of all that is mounted.

        Raises:
            ConfigError: two operations or types have one name.
        """
        return Document(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)

    @override
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The area and the function, so that no module's name is in what clients are made of."""
        area, name = (operation.tags or [""])[0], operation.view_func.__name__
        return name if f"{name}_".startswith(f"{area}_") else f"{area}_{name}"
