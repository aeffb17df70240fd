"""People, their teams and what each of them sees."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropbox_standin.sights import Sights

if TYPE_CHECKING:
    from dropbox_standin.tree import Namespace

ADMIN_ONLY, EVERYONE = TOP_LEVEL = ("admin_only", "everyone")
ACCOUNT_ID_CHARS = 40  # the SDK refuses any other length


@dataclass(eq=False)
class Team:
    """A team with a team space: one tree that all members see under their root.

    Attributes:
        top_level: who may make, move and remove what lies at the top of the space: one of `TOP_LEVEL`.
    """

    key: str
    name: str
    space: Namespace
    top_level: str = ADMIN_ONLY

    @property
    def team_id(self) -> str:
        return f"dbtid:{_digest(self.key)}"


@dataclass(eq=False)
class Account:
    """One Dropbox account.

    Attributes:
        key: the short name by which the control API calls it.
        admin: of the team.
        good_for: what somebody who tries the console may use it for.
        sights: how much it may see of the team's folders; all of them in full unless told otherwise.
    """

    key: str
    display_name: str
    email: str
    home: Namespace
    team: Team | None = None
    suspended: bool = False
    email_verified: bool = True
    basic: bool = False
    admin: bool = False
    good_for: str = ""
    sights: Sights = field(default_factory=Sights)
    uid: int = field(init=False)
    account_id: str = field(init=False)

    def __post_init__(self) -> None:
        digest = _digest(self.key)
        self.account_id = f"dbid:{digest}"[:ACCOUNT_ID_CHARS]
        self.uid = int(hashlib.sha256(self.key.encode()).hexdigest()[:7], 16)

    @property
    def root(self) -> Namespace:
        return self.team.space if self.team else self.home

    @property
    def may_shape_top(self) -> bool:
        """Whether it may write at the top of its root."""
        return self.team is None or self.admin or self.team.top_level == EVERYONE

    @property
    def home_path(self) -> str:
        return f"/{self.display_name}" if self.team else ""

    @property
    def namespaces(self) -> tuple[Namespace, ...]:
        """All that the account may reach, the root first."""
        return (self.team.space, self.home) if self.team else (self.home,)

    def root_info(self) -> dict[str, Any]:
        info = {
            ".tag": "team" if self.team else "user",
            "root_namespace_id": self.root.id,
            "home_namespace_id": self.home.id,
        }
        return {**info, "home_path": self.home_path} if self.team else info

    def full(self) -> dict[str, Any]:
        """The answer of `users/get_current_account`."""
        given, _, surname = self.display_name.partition(" ")
        account = {
            "account_id": self.account_id,
            "name": {
                "given_name": given,
                "surname": surname,
                "familiar_name": given,
                "display_name": self.display_name,
                "abbreviated_name": f"{given[:1]}{surname[:1]}",
            },
            "email": self.email,
            "email_verified": self.email_verified,
            "disabled": self.suspended,
            "country": "US",
            "locale": "en",
            "referral_link": f"https://www.dropbox.com/referrals/{self.uid}",
            "is_paired": False,
            "account_type": {".tag": "basic" if self.basic else "business"},
            "root_info": self.root_info(),
        }
        return account if self.team is None else {**account, **_membership(self.team, self.key)}


def _membership(team: Team, key: str) -> dict[str, Any]:
    return {
        "team": {
            "id": team.team_id,
            "name": team.name,
            "sharing_policies": {
                "shared_folder_member_policy": {".tag": "anyone"},
                "shared_folder_join_policy": {".tag": "from_anyone"},
                "shared_link_create_policy": {".tag": "default_public"},
                "group_creation_policy": {".tag": "admins_only"},
                "shared_folder_link_restriction_policy": {".tag": "anyone"},
                "enforce_link_password_policy": {".tag": "optional"},
                "default_link_expiration_days_policy": {".tag": "none"},
                "shared_link_default_permissions_policy": {".tag": "default"},
            },
            "office_addin_policy": {".tag": "disabled"},
            "top_level_content_policy": {".tag": team.top_level},
        },
        "team_member_id": f"dbmid:{_digest(key + '@team')}",
    }


def _digest(key: str) -> str:
    return f"AA{hashlib.sha256(key.encode()).hexdigest()}"[: ACCOUNT_ID_CHARS - len("dbid:")]
