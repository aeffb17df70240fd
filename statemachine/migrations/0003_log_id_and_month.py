"""The index that the primary key of a log in parts needs, made while others write."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("statemachine", "0002_log_month")]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX CONCURRENTLY statemachine_log_kept_pkey ON statemachine_transitionlog (id, month)",
            "DROP INDEX CONCURRENTLY statemachine_log_kept_pkey",
        ),
    ]
