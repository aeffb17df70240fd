"""The part of the control API that is about accounts, teams and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropbox_standin import seeds
from dropbox_standin.accounts import TOP_LEVEL
from dropbox_standin.inputs import NotUnderstood, fields_of, text
from dropbox_standin.names import fold
from dropbox_standin.tokens import ACCESS_TOKEN_S, SCOPES

if TYPE_CHECKING:
    from starlette.requests import Request

    from dropbox_standin.accounts import Account, Team
    from dropbox_standin.stage import Stage
    from dropbox_standin.world import World

type Body = dict[str, Any]


def account(world: World, name: Any) -> Account:
    """The account by key, account id or e-mail. Raises: NotUnderstood: there is none."""
    found = world.account(text(name, "account"))
    if found is None:
        raise NotUnderstood(f"there is no account {name!r}; there are {', '.join(sorted(world.accounts))}")
    return found


def team(world: World, name: Any) -> Team:
    """The team by key. Raises: NotUnderstood: there is none."""
    found = world.teams.get(text(name, "team"))
    if found is None:
        raise NotUnderstood(f"there is no team {name!r}; there are {', '.join(sorted(world.teams))}")
    return found


def describe(world: World, one: Account) -> Body:
    """All that a test needs to know of an account."""
    grants = [grant for grant in world.tokens.grants_of(one) if not grant.revoked]
    refresh_tokens = [grant.refresh_token for grant in grants if grant.refresh_token]
    return {
        "name": one.key,
        "account_id": one.account_id,
        "display_name": one.display_name,
        "email": one.email,
        "team": one.team.key if one.team else None,
        "root_namespace_id": one.root.id,
        "home_namespace_id": one.home.id,
        "home_path": one.home_path,
        "suspended": one.suspended,
        "email_verified": one.email_verified,
        "admin": one.admin,
        "refresh_token": refresh_tokens[0] if refresh_tokens else None,
        "scopes": sorted(frozenset().union(*(grant.scopes for grant in grants))),
    }


def list_accounts(stage: Stage, _request: Request, _body: Body) -> Body:
    return {"accounts": [describe(stage.world, one) for one in stage.world.accounts.values()]}


def show_account(stage: Stage, request: Request, _body: Body) -> Body:
    return describe(stage.world, _named(stage, request))


def create_account(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "name", "display_name", "email", "team", "basic", "email_verified", "admin")
    key, world = text(body.get("name"), "name"), stage.world
    if key in world.accounts:
        raise NotUnderstood(f"there is an account {key!r} already")
    display_name = text(body.get("display_name", key.title()), "display_name")
    joined = team(world, body["team"]) if body.get("team") else None
    if joined is not None and (joined.space.find((display_name,)) or fold(display_name) in joined.space.taken):
        raise NotUnderstood(f"{display_name!r} is taken at the top of the team's space, where the home would lie")
    email = text(body.get("email", f"{key}@example.com"), "email")
    one = world.add_account(key=key, display_name=display_name, email=email, team=joined)
    one.admin = bool(body.get("admin"))
    one.basic, one.email_verified = bool(body.get("basic")), bool(body.get("email_verified", True))
    world.add_well_known_grants(account=one, app=world.tokens.apps[seeds.APP_KEY])
    return describe(world, one)


def give_sight(stage: Stage, request: Request, body: Body) -> Body:
    """How much an account may see of a folder of its team; cursors tell of what it gains and loses by that."""
    fields_of(body, "account", "path", "sight")
    one = account(stage.world, body.get("account"))
    seeds.give_sight(stage.world, {**body, "account": one.key})
    stage.world.tell(one.root)
    return list_sights(stage, request, {})


def list_sights(stage: Stage, _request: Request, _body: Body) -> Body:
    return {
        "sights": [
            {"account": one.key, "path": "".join(f"/{name}" for name in folder.names()), "sight": sight}
            for one in stage.world.accounts.values()
            for folder, sight in one.sights.given.items()
        ]
    }


def clear_sights(stage: Stage, _request: Request, _body: Body) -> Body:
    """Everybody sees everything of their team again."""
    for one in stage.world.accounts.values():
        one.sights.clear(one.root)
        stage.world.tell(one.root)
    return {"sights": []}


def suspend(stage: Stage, request: Request, body: Body) -> Body:
    fields_of(body, "suspended")
    one = _named(stage, request)
    one.suspended = bool(body.get("suspended", True))
    return describe(stage.world, one)


def set_scopes(stage: Stage, request: Request, body: Body) -> Body:
    fields_of(body, "scopes")
    one = _named(stage, request)
    stage.world.tokens.narrow(one, _scopes(body))
    return describe(stage.world, one)


def issue_tokens(stage: Stage, request: Request, body: Body) -> Body:
    """What the consent page would have led to: a new grant with its tokens."""
    fields_of(body, "scopes", "app")
    one, tokens = _named(stage, request), stage.world.tokens
    app = tokens.apps.get(body.get("app", seeds.APP_KEY))
    if app is None:
        raise NotUnderstood(f"there is no app {body.get('app')!r}; there are {', '.join(tokens.apps)}")
    grant = tokens.add_grant(app=app, account=one, scopes=_scopes(body), refresh_token=tokens.random(64))
    access = tokens.issue(grant)
    return {"access_token": access.value, "refresh_token": grant.refresh_token, "expires_in": ACCESS_TOKEN_S}


def expire_tokens(stage: Stage, request: Request, _body: Body) -> Body:
    one = _named(stage, request)
    stage.world.tokens.expire(one)
    return describe(stage.world, one)


def revoke(stage: Stage, request: Request, _body: Body) -> Body:
    one = _named(stage, request)
    stage.world.tokens.revoke(one)
    return describe(stage.world, one)


def create_team(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "name", "display_name")
    key = text(body.get("name"), "name")
    if key in stage.world.teams:
        raise NotUnderstood(f"there is a team {key!r} already")
    made = stage.world.add_team(key=key, name=text(body.get("display_name", key.title()), "display_name"))
    return {"name": key, "root_namespace_id": made.space.id}


def set_top_level(stage: Stage, request: Request, body: Body) -> Body:
    """Who may make, move and remove what lies at the top of a team's space."""
    fields_of(body, "policy")
    chosen, policy = team(stage.world, request.path_params["name"]), body.get("policy")
    if policy not in TOP_LEVEL:
        raise NotUnderstood(f"policy is one of {', '.join(TOP_LEVEL)}, not {policy!r}")
    chosen.top_level = policy
    return {"name": chosen.key, "policy": policy}


def migrate_root(stage: Stage, request: Request, _body: Body) -> Body:
    """The team space gets another namespace id; what it holds stays. Old cursors answer `reset`."""
    moved = team(stage.world, request.path_params["name"])
    moved.space.id = stage.world.new_namespace_id()
    stage.world.cursors.forget()
    return {"name": moved.key, "root_namespace_id": moved.space.id}


def create_app(stage: Stage, _request: Request, body: Body) -> Body:
    fields_of(body, "key", "secret")
    app = stage.world.add_app(key=text(body.get("key"), "key"), secret=text(body.get("secret"), "secret"))
    return {"key": app.key}


def _named(stage: Stage, request: Request) -> Account:
    return account(stage.world, request.path_params["name"])


def _scopes(body: Body) -> frozenset[str]:
    scopes = body.get("scopes")
    if scopes is None:
        return SCOPES
    if not isinstance(scopes, list) or not SCOPES.issuperset(scopes):
        raise NotUnderstood(f"scopes is a list of {', '.join(sorted(SCOPES))}")
    return frozenset(scopes)


ACTIONS = (
    ("GET", "/accounts", list_accounts),
    ("POST", "/accounts", create_account),
    ("GET", "/accounts/{name}", show_account),
    ("POST", "/accounts/{name}/suspend", suspend),
    ("POST", "/accounts/{name}/scopes", set_scopes),
    ("POST", "/accounts/{name}/tokens", issue_tokens),
    ("POST", "/accounts/{name}/expire", expire_tokens),
    ("POST", "/accounts/{name}/revoke", revoke),
    ("POST", "/sights", give_sight),
    ("GET", "/sights", list_sights),
    ("DELETE", "/sights", clear_sights),
    ("POST", "/teams", create_team),
    ("POST", "/teams/{name}/migrate_root", migrate_root),
    ("POST", "/teams/{name}/top_level", set_top_level),
    ("POST", "/apps", create_app),
)
