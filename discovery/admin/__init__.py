"""The plain console for what has to do with Dropbox."""

from discovery.admin.accounts import DropboxAccountAdmin
from discovery.admin.configurations import ConfigurationAdmin
from discovery.admin.people import PersonAdmin

__all__ = ["ConfigurationAdmin", "DropboxAccountAdmin", "PersonAdmin"]
