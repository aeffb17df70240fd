"""The gateway to Dropbox; the only code that imports the SDK."""

from discovery.dropbox.gateway import Gateway, gateway_for

__all__ = ["Gateway", "gateway_for"]
