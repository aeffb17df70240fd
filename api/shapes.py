"""What the apps tell programs of and take from them alike."""

from typing import Annotated

from django.contrib.auth.models import User
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

LARGEST_KEY = 2**63 - 1
Key = Annotated[int, Field(ge=1, le=LARGEST_KEY)]


def _to_look_for(text: str) -> str:
    """A text that PostgreSQL can be asked for: JSON can also hold halves of characters, and null characters."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("A text holds whole characters, and no null character")
    return text


Text = Annotated[str, AfterValidator(_to_look_for)]


def _in_words(said: object) -> object:
    """A moment as JSON has it: a number would be taken for seconds, or for milliseconds if there are many of them."""
    if isinstance(said, int | float) or str(said).strip().lstrip("+-").replace(".", "", 1).isdecimal():
        raise ValueError("A moment has a date, a time and a zone, such as 2026-11-02T08:15:00Z")
    return said


Moment = Annotated[AwareDatetime, BeforeValidator(_in_words), Field(strict=False)]


class Said(BaseModel):
    """What is sent: nothing but its fields, each of its kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Person(BaseModel):
    """Somebody who may log in."""

    id: int
    name: str

    @classmethod
    def of(cls, user: User | None) -> "Person | None":
        return cls(id=user.pk, name=user.get_username()) if user else None
