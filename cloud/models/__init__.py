"""The tables of the cloud: who has connected an account, and what was found there."""

from cloud.models.accounts import DropboxAccount
from cloud.models.folded import Folded
from cloud.models.locations import CloudLocation

__all__ = ["CloudLocation", "DropboxAccount", "Folded"]
