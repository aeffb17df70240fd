"""The numbers by which every machine's rows stand in line."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0004_use_queues")]

    operations = [migrations.RunSQL("CREATE SEQUENCE statemachine_turn", "DROP SEQUENCE statemachine_turn")]
