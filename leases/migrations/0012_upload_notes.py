from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leases", "0011_initiated_before")]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="notes",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
