"""The plain console for what has to do with Dropbox."""

import discovery.admin.sent  # noqa: F401 - what was sent to its pages is told in words
from discovery.admin.accounts import DropboxAccountAdmin
from discovery.admin.configurations import ConfigurationAdmin
from discovery.admin.people import PersonAdmin

__all__ = ["ConfigurationAdmin", "DropboxAccountAdmin", "PersonAdmin"]
