"""What the interface for programs keeps."""

from api.models.answers import KeptAnswer

__all__ = ["KeptAnswer"]
