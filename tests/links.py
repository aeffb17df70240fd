"""What happens to a share link at Dropbox, where the product has no hand in it."""

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from dropbox_standin.client import Standin


def ask(dropbox: "Standin", route: str, *, account: str = "olivia", **args: Any) -> Any:
    """Call Dropbox as the account's owner does, by other means than ours."""
    token = dropbox.issue_tokens(account).access_token
    root = dropbox.account(account).root_namespace_id
    headers = {
        "Authorization": f"Bearer {token}",
        "Dropbox-API-Path-Root": f'{{".tag": "root", "root": "{root}"}}',
    }
    answer = requests.post(f"{dropbox.base_url}/2/{route}", json=args, headers=headers, timeout=5)
    answer.raise_for_status()
    return answer.json()


def revoke_link(dropbox: "Standin", url: str) -> None:
    ask(dropbox, "sharing/revoke_shared_link", url=url)


def move(dropbox: "Standin", path: str, to: str) -> None:
    ask(dropbox, "files/move_v2", from_path=path, to_path=to)
