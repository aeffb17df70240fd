from django.db import migrations, models

TURN = models.Func(models.Value("statemachine_turn"), function="nextval", output_field=models.BigIntegerField())


class Migration(migrations.Migration):

    dependencies = [
        ('toy', '0003_due_reason'),
        ('statemachine', '0005_turns'),
    ]

    operations = [
        migrations.AddField(
            model_name='kettle',
            name='turn',
            field=models.BigIntegerField(db_default=TURN, editable=False, help_text='Its place in the line, which only a new order sets.'),
        ),
        migrations.AlterField(
            model_name='kettle',
            name='due_at',
            field=models.DateTimeField(db_default=models.functions.Now(), editable=False, help_text='Not before this is work dispatched; empty: none owed.', null=True),
        ),
        migrations.AddIndex(
            model_name='kettle',
            index=models.Index(condition=models.Q(('due_at__isnull', False), ('state__in', ['heating', 'steeping'])), fields=['background', 'turn', 'id', 'due_at'], name='toy_kettle_begun'),
        ),
        migrations.AddIndex(
            model_name='kettle',
            index=models.Index(condition=models.Q(('due_at__isnull', False), models.Q(('state__in', ['heating', 'steeping']), _negated=True)), fields=['background', 'turn', 'id'], name='toy_kettle_start'),
        ),
    ]
