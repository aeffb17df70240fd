"""All rows are looked at while others write, so that nobody has to wait for it when the log becomes parted."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0004_log_generation_and_month")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE statemachine_transitionlog VALIDATE CONSTRAINT statemachine_log_is_kept",
            migrations.RunSQL.noop,
        ),
    ]
