"""Each row of the transition log has a month, by which the log is to be parted; what is there already counts as kept."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0001_initial")]

    operations = [
        migrations.RunSQL(
            [
                # A default that is constant is written down beside the table, in none of its rows.
                "ALTER TABLE statemachine_transitionlog ADD COLUMN month date DEFAULT '1970-01-01' NOT NULL",
                "ALTER TABLE statemachine_transitionlog ADD CONSTRAINT statemachine_log_is_kept "
                "CHECK (month = '1970-01-01') NOT VALID",
            ],
            "ALTER TABLE statemachine_transitionlog DROP COLUMN month",
        ),
    ]
