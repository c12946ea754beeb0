# What was heard of an airing before a kill or a power cut, when it was said again.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("loudspeakers", "0003_machines_of_before"),
    ]

    operations = [
        migrations.AddField(
            model_name="playing",
            name="earlier",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
