from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('toy', '0002_lanes'),
    ]

    operations = [
        migrations.AddField(
            model_name='kettle',
            name='due_reason',
            field=models.CharField(db_default='', default='', editable=False, help_text='Why a start is owed, for the log of whoever takes it.', max_length=300),
        ),
    ]
