"""The index that keeps a log in parts from having a transition twice, made while others write."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("statemachine", "0003_log_id_and_month")]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX CONCURRENTLY statemachine_log_kept_once "
            "ON statemachine_transitionlog (record_type, record_id, generation, month)",
            "DROP INDEX CONCURRENTLY statemachine_log_kept_once",
        ),
    ]
