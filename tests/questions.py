"""What a list asks before it does something, which has an address of its own."""

from typing import Any

from django.test import Client

from console.records.asking import ASK


def question_of(client: Client, answer: Any) -> Any:
    """The page that asks, if the answer leads to one; else the answer."""
    leads_there = answer.status_code == 302 and f"{ASK}=" in answer["Location"]
    return client.get(answer["Location"]) if leads_there else answer
