"""What a browser complains about: errors of scripts, what a policy forbade, what could not be fetched, dialogs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, Response, WebError

# Told to the console, so that it is noted like any error there, with the directive that was broken.
TELL_OF_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} forbids ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`))
"""
# What the browser itself gives up: whatever a page that is left has not got yet, and a page that is a file to be saved.
GIVEN_UP = "net::ERR_ABORTED"
BAD = 400


@contextmanager
def watched(context: BrowserContext) -> Iterator[list[str]]:
    """A list that grows with each complaint, in any window of the context, from the next page on until the body ends."""
    complaints: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _asks_for_icon(message.location["url"]):
            complaints.append(f"{message.text} ({message.location['url']})")

    def lost(request: Request) -> None:
        if request.failure != GIVEN_UP:
            complaints.append(f"{request.failure}: {request.method} {request.url}")

    def answered(response: Response) -> None:
        if response.status >= BAD and not _asks_for_icon(response.url):
            complaints.append(f"{response.status}: {response.request.method} {response.url}")

    def failed(error: WebError) -> None:
        complaints.append(f"error: {error.error}")

    listeners: dict[str, Callable[..., None]] = {
        "dialog": dismiss,
        "weberror": failed,
        "console": note,
        "requestfailed": lost,
        "response": answered,
    }
    with context.add_init_script(TELL_OF_POLICY), _told(context, listeners):
        yield complaints


@contextmanager
def _told(context: BrowserContext, listeners: Mapping[str, Callable[..., None]]) -> Iterator[None]:
    for event, listener in listeners.items():
        context.on(event, listener)  # type: ignore[call-overload]
    yield
    for event, listener in listeners.items():
        context.remove_listener(event, listener)


def _asks_for_icon(url: str) -> bool:
    """Browsers ask every host for one, also those that are not ours."""
    return url.endswith("/favicon.ico")
