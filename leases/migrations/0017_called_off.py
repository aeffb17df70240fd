from django.db import migrations, models

# Of batches that are stopped: what has another generation than its last transition left it with was not begun.
CALLED_OFF = """
UPDATE leases_batchlease AS member
   SET called_off = lease.generation
  FROM leases_lease AS lease, leases_batch AS batch
 WHERE lease.id = member.lease_id
   AND batch.id = member.batch_id
   AND batch.stopped_at IS NOT NULL
   AND lease.owed_by_id = batch.id
   AND lease.due_at IS NULL
   AND lease.generation > COALESCE(
           (
               SELECT max(log.generation)
                 FROM statemachine_transitionlog AS log
                WHERE log.record_type = 'leases.lease' AND log.record_id = lease.id
           ),
           0
       )
"""


class Migration(migrations.Migration):
    dependencies = [("leases", "0016_matching_count")]

    operations = [
        migrations.AddField(
            model_name="batchlease",
            name="called_off",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="batchlease",
            index=models.Index(
                condition=models.Q(("called_off__isnull", False)),
                fields=["batch"],
                name="leases_batchlease_called_off",
            ),
        ),
        migrations.RunSQL(CALLED_OFF, migrations.RunSQL.noop),
    ]
