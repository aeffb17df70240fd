"""The permission to use RQ's dashboard, and the model that it hangs on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("statemachine", "0003_heartbeat")]

    operations = [
        migrations.CreateModel(
            name="JobQueues",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "verbose_name": "job queues",
                "verbose_name_plural": "job queues",
                "permissions": [("use_queues", "Can look into and change the job queues")],
                "managed": False,
                "default_permissions": (),
            },
        ),
    ]
