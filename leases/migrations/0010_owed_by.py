"""Which batch may stop a lease stands on the lease itself."""

import django.db.models.deletion
from django.db import migrations, models

# Only what is owed now: nothing else can be stopped.
LATEST = """
    UPDATE leases_lease AS lease SET owed_by_id = latest.batch_id
    FROM (
        SELECT DISTINCT ON (lease_id) lease_id, batch_id FROM leases_batchlease
        WHERE lease_id IN (SELECT id FROM leases_lease WHERE due_at IS NOT NULL)
        ORDER BY lease_id, owed_at DESC, batch_id DESC
    ) AS latest
    WHERE lease.id = latest.lease_id
"""


class Migration(migrations.Migration):
    dependencies = [("leases", "0009_names")]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="owed_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The import or run that last owed it a start, and so may stop it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="leases.batch",
            ),
        ),
        migrations.AddIndex(
            model_name="lease",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["owed_by"], name="leases_lease_owed_by"
            ),
        ),
        migrations.RunSQL(LATEST, migrations.RunSQL.noop),
        # The column stays, with its default, as long as an old version may still read it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("batchlease", "owed_at")]),
    ]
