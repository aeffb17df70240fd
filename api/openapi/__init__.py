"""The description of the interface, made from the types and the docstrings of what answers (OpenAPI 3.1)."""

from api.openapi.interface import Interface

__all__ = ["Interface"]
