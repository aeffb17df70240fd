from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('discovery', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='dropboxaccount',
            name='last_used_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
