"""The gateway to Dropbox; the only code that imports the SDK."""

import sys
from types import ModuleType

# What happens in a team is told in 3,000 classes that nobody here asks for; in each process they would take 15 MB and a
# good part of the time that it needs to start.
sys.modules.setdefault("dropbox.team_log", ModuleType("dropbox.team_log"))

from cloud.dropbox.gateway import Gateway, gateway_for  # noqa: E402 - it imports the SDK

__all__ = ["Gateway", "gateway_for"]
