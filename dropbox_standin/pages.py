"""The pages that a browser sees: consent, a shared link, and what went wrong."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dropbox_standin.tree import File, Folder
from dropbox_standin.wire import HTML, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropbox_standin.accounts import Account
    from dropbox_standin.links import Link

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; }
.banner { padding: .5rem .75rem; border: 1px solid; border-radius: .5rem; font-size: .875rem; }
fieldset { border: 1px solid; border-radius: .5rem; margin: 1rem 0; }
label { display: block; padding: .35rem 0; }
label small { margin-left: 1.6rem; }
button { font: inherit; padding: .5rem 1.25rem; border-radius: .5rem; border: 1px solid; cursor: pointer; }
button[value=allow] { background: #0055ff; color: #fff; border-color: #0055ff; }
code { overflow-wrap: anywhere; }
"""


def answer_page(page: str, *, status: int = 200) -> Answer:
    return Answer(page.encode(), status, HTML)


def consent(accounts: Sequence[Account], scopes: Sequence[str], asked: Mapping[str, str]) -> str:
    """Who is there, what the app asks for, Allow and Deny."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
    )
    choices = "".join(
        f'<label><input type="radio" name="account" value="{escape(one.key)}"{" checked" if at == 0 else ""}> '
        f"{escape(one.display_name)} ({escape(one.email)})"
        f"{f'<br><small>{escape(one.good_for)}</small>' if one.good_for else ''}</label>"
        for at, one in enumerate(accounts)
    )
    wanted = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes)
    return _page(
        f"{asked['client_id']} would like access to your Dropbox",
        f'<form method="post" action="/oauth2/authorize">{hidden}'
        f"<fieldset><legend>Who are you?</legend>{choices}</fieldset>"
        f"<p>The app asks for:</p><ul>{wanted}</ul>"
        '<button name="decision" value="allow">Allow</button> '
        '<button name="decision" value="deny">Deny</button></form>',
    )


def code(value: str | None) -> str:
    if value is None:
        return problem("Access denied", "The app was given nothing. You can close this page.")
    return _page("Copy this code into the app", f'<p><code id="code">{escape(value)}</code></p>')


def problem(title: str, sentence: str) -> str:
    return _page(title, f"<p>{escape(sentence)}</p>")


def shared(link: Link) -> str:
    """What a shared link leads to."""
    node = link.node
    if isinstance(node, File):
        return _page(node.name, f"<p>A file of {len(node.content)} bytes.</p>")
    children = node.sorted_children() if isinstance(node, Folder) else []
    rows = "".join(f"<li>{escape(one.name)}{'/' if isinstance(one, Folder) else ''}</li>" for one in children)
    return _page(
        node.name, f"<p>Shared by {escape(link.creator.display_name)}.</p><ul>{rows or 'This folder is empty.'}</ul>"
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>"
        '<p class="banner">This is a stand-in on your own machine, not Dropbox.</p>'
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )
