"""A place in the line that only a new order sets; what waits now keeps its order."""

import django.db.models.functions.datetime
from django.db import migrations, models

TURN = models.Func(models.Value("statemachine_turn"), function="nextval", output_field=models.BigIntegerField())
MODELS = {"failurenotice": ["sending"], "lease": ["detecting", "searching"]}
WAITING = """
UPDATE {table} AS record SET turn = waiting.turn
FROM (SELECT id, row_number() OVER (ORDER BY due_at, id) AS turn FROM {table} WHERE due_at IS NOT NULL) AS waiting
WHERE record.id = waiting.id
"""


def _turn(model: str) -> migrations.AddField:
    field = models.BigIntegerField(
        db_default=TURN, editable=False, help_text="Its place in the line, which only a new order sets."
    )
    return migrations.AddField(model_name=model, name="turn", field=field)


def _due_at(model: str) -> migrations.AlterField:
    field = models.DateTimeField(
        db_default=django.db.models.functions.datetime.Now(),
        editable=False,
        help_text="Not before this is work dispatched; empty: none owed.",
        null=True,
    )
    return migrations.AlterField(model_name=model, name="due_at", field=field)


def _index(model: str, name: str, states: models.Q, *fields: str) -> migrations.AddIndex:
    index = models.Index(
        condition=models.Q(("due_at__isnull", False)) & states,
        fields=["background", "turn", "id", *fields],
        name=f"leases_{model}_{name}",
    )
    return migrations.AddIndex(model_name=model, index=index)


class Migration(migrations.Migration):
    dependencies = [("leases", "0017_called_off"), ("statemachine", "0005_turns")]

    operations = [
        *(operation for model in MODELS for operation in (_turn(model), _due_at(model))),
        *(migrations.RunSQL(WAITING.format(table=f"leases_{model}"), migrations.RunSQL.noop) for model in MODELS),
        *(_index(model, "begun", models.Q(("state__in", states)), "due_at") for model, states in MODELS.items()),
        *(_index(model, "start", ~models.Q(("state__in", states))) for model, states in MODELS.items()),
    ]
