"""What the id of a job of ours looks like: `app_model-17-searching-2`. It is made, read and recognised here only."""

import re
from dataclasses import dataclass
from typing import Self

# RQ allows letters, digits, dash and underscore only; a name of Django's has no dash. A number without end is none.
JOB_ID = re.compile(r"\b(?P<label>\w+)-(?P<pk>\d{1,99})-(?P<state>\w+)-(?P<generation>\d{1,99})\b", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobId:
    """What a job's id says.

    Attributes:
        label: the record's model, `app_model`.
        generation: the record's, when the job was sent.
    """

    label: str
    pk: int
    state: str
    generation: int

    def __str__(self) -> str:
        return f"{self.label}-{self.pk}-{self.state}-{self.generation}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What the text says; None if it is not the id of a job of ours."""
        said = JOB_ID.fullmatch(text)
        if said is None:
            return None
        return cls(label=said["label"], pk=int(said["pk"]), state=said["state"], generation=int(said["generation"]))


def job_label(model_label: str) -> str:
    """A model in an id: `app_model` for `app.model`."""
    return model_label.replace(".", "_")
