"""What a fault of Dropbox looks like on the wire."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud.dropbox import Gateway, gateway_for

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

TOKEN = "oauth2/token"
LIST = "files/list_folder"
MORE = "files/list_folder/continue"
METADATA = "files/get_metadata"
LINK = "sharing/create_shared_link_with_settings"
LINKS = "sharing/list_shared_links"


def union(*tags: str) -> dict[str, Any]:
    """An error's body: a path of tags, such as ("path", "not_found")."""
    nested: dict[str, Any] = {".tag": tags[-1]}
    for tag in reversed(tags[:-1]):
        nested = {".tag": tag, tag: nested}
    return {"error_summary": f"{'/'.join(tags)}/..", "error": nested}


@pytest.fixture
def gateway(operator: User, dropbox: "Standin") -> Gateway:
    """Olivia's, ready; nothing in the journal."""
    return gateway_for(operator)
