"""The gateway to Dropbox; the only code that imports the SDK."""

import sys
from types import ModuleType

# How teams are looked after, and what happens in them, is told in 3,500 classes that nobody here asks for; in each process
# they would take 17 MB and a good part of the time that it needs to start.
for _name in ("team", "team_log", "base_team"):
    sys.modules.setdefault(f"dropbox.{_name}", ModuleType(f"dropbox.{_name}"))
# The client for teams, whom nobody here is, derives from it.
sys.modules["dropbox.base_team"].__dict__.setdefault("DropboxTeamBase", object)

from cloud.dropbox.gateway import Gateway, gateway_for  # noqa: E402 - it imports the SDK

__all__ = ["Gateway", "gateway_for"]
