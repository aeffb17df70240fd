from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('discovery', '0002_last_used_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='dropboxaccount',
            name='changed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
