from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('leases', '0003_failure_notices'),
    ]

    operations = [
        migrations.AddField(
            model_name='cloudlocation',
            name='share_checked_at',
            field=models.DateTimeField(blank=True, help_text='When the cloud was last asked whether the share link still leads there.', null=True),
        ),
    ]
