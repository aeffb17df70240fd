from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0002_log_is_append_only")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=50, unique=True)),
                ("at", models.DateTimeField(db_default=Now())),
                ("host", models.CharField(blank=True, db_default="", default="", max_length=255)),
            ],
            options={"ordering": ["name"]},
        ),
    ]
