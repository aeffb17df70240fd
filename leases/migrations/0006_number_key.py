"""What a lease is found by, and the indexes that the list of leases needs when there are many."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leases", "0005_batches")]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="number_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Upper(
                    django.db.models.functions.text.Replace("lease_number", models.Value(" "))
                ),
                output_field=models.CharField(max_length=100),
            ),
        ),
        migrations.AddIndex("lease", models.Index(fields=["number_key"], name="leases_lease_number_key")),
        migrations.AddIndex("lease", models.Index(fields=["lease_number"], name="leases_lease_number")),
        migrations.AddIndex("lease", models.Index(fields=["created_at"], name="leases_lease_created")),
        migrations.AddIndex("lease", models.Index(fields=["entered_at"], name="leases_lease_entered")),
        migrations.AddIndex(
            "lease",
            models.Index(
                condition=models.Q(("failure_code", ""), _negated=True),
                fields=["failure_code"],
                name="leases_lease_failure",
            ),
        ),
    ]
