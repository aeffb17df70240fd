from typing import TYPE_CHECKING

from django.db import models
from django.db.migrations import AddConstraint, AddIndex, CreateModel, RunSQL

from core.base.migrations import whole_tables

if TYPE_CHECKING:
    from django.db.migrations.operations.base import Operation


def kettle() -> CreateModel:
    return CreateModel("Kettle", fields=[("litres", models.IntegerField())], options={"verbose_name": "kettle"})


def index(name: str) -> AddIndex:
    return AddIndex("kettle", models.Index(fields=["litres"], name=name))


HOLDS_SOMETHING = AddConstraint("kettle", models.CheckConstraint(condition=models.Q(litres__gt=0), name="holds"))


class TestWholeTables:
    def test_are_made_with_their_indexes_and_constraints(self) -> None:
        cup = CreateModel("Cup", fields=[])

        made, other = whole_tables([kettle(), cup, index("one"), HOLDS_SOMETHING, index("two")])

        assert isinstance(made, CreateModel)
        assert made.options == {
            "verbose_name": "kettle",
            "indexes": [index("one").index, index("two").index],
            "constraints": [HOLDS_SOMETHING.constraint],
        }
        assert other is cup
        assert cup.options == {}

    def test_leave_where_it_stands_what_may_need_something_else(self) -> None:
        function = RunSQL("CREATE FUNCTION …")
        operations: list[Operation] = [kettle(), function, index("one"), HOLDS_SOMETHING]

        assert whole_tables(operations) == operations
