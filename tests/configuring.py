"""Save an agency's configuration as a person does, who is asked and says yes."""

from typing import Any

from django.test import Client


def save(console: Client, url: str, form: dict[str, Any]) -> Any:
    """Press “Save”, and “Save it” if that is asked; the last answer, where it leads to.

    Args:
        url: of the page, without what follows a question mark.
    """
    answer = console.post(url, form)
    if "question=" not in answer.headers.get("Location", ""):
        return console.get(answer["Location"]) if answer.status_code == 302 else answer
    return confirm(console, url, console.get(answer["Location"]))


def confirm(console: Client, url: str, question: Any) -> Any:
    """Say yes to the question."""
    draft = question.context["draft"]
    return console.post(url, {**draft.typed, "confirmed": draft.name}, follow=True)
