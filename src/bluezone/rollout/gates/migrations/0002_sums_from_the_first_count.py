from django.db import migrations, models

_SAME = "gate_id, day, direction, verdict"
_SUM_UP = (
    f"INSERT INTO gates_gateday ({_SAME}, proof, count) SELECT {_SAME}, proof, SUM(count) FROM gates_gatecounter"
    f" WHERE count > 0 GROUP BY {_SAME}, proof ON CONFLICT ({_SAME}) DO NOTHING"
)


class Migration(migrations.Migration):

    dependencies = [
        ('gates', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='gateday',
            index=models.Index(fields=['day', 'gate', 'verdict', 'count'], name='gate_day_by_day'),
        ),
        # Until now a day's sum was made when its counters were forgotten.
        migrations.RunSQL(_SUM_UP, migrations.RunSQL.noop),
    ]
