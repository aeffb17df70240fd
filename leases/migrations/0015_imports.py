import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leases", "0014_origins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="upload", name="content", field=models.BinaryField(null=True)),
        migrations.AddField(
            model_name="upload", name="reading", field=models.JSONField(db_default={}, default=dict)
        ),
        migrations.CreateModel(
            name="AgencyWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=100, unique=True)),
                (
                    "agency",
                    models.CharField(
                        choices=[
                            ("NMSLO", "NMSLO (New Mexico State Land Office)"),
                            ("BLM", "BLM (Bureau of Land Management)"),
                        ],
                        max_length=20,
                    ),
                ),
                ("said_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "said_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
