from django.db import migrations, models

# What was kept before may be as long as a directory.
SHORTEN = """
UPDATE leases_lease
   SET matching_count = jsonb_array_length(matching_files),
       matching_files = (
           SELECT jsonb_agg(name ORDER BY place)
             FROM jsonb_array_elements(matching_files) WITH ORDINALITY AS each (name, place)
            WHERE place <= 50
       )
 WHERE jsonb_array_length(matching_files) > 0
"""


class Migration(migrations.Migration):
    dependencies = [("leases", "0015_imports")]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="matching_count",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How many names matched; no more than some are kept.",
            ),
        ),
        migrations.AlterField(
            model_name="lease",
            name="matching_files",
            field=models.JSONField(
                db_default=[],
                default=list,
                editable=False,
                help_text="The first of the names that matched the report pattern.",
            ),
        ),
        migrations.RunSQL(SHORTEN, migrations.RunSQL.noop),
    ]
