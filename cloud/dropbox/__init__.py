"""The gateway to Dropbox; the only code that imports the SDK."""

from cloud.dropbox.gateway import Gateway, gateway_for

__all__ = ["Gateway", "gateway_for"]
