from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('leases', '0007_notice_is_read'),
    ]

    operations = [
        migrations.AddField(
            model_name='failurenotice',
            name='due_reason',
            field=models.CharField(db_default='', default='', editable=False, help_text='Why a start is owed, for the log of whoever takes it.', max_length=300),
        ),
        migrations.AddField(
            model_name='lease',
            name='due_reason',
            field=models.CharField(db_default='', default='', editable=False, help_text='Why a start is owed, for the log of whoever takes it.', max_length=300),
        ),
    ]
