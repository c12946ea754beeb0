# The tone before an emergency, and the channel on which it was played as well.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("loudspeakers", "0004_playing_earlier"),
    ]

    operations = [
        migrations.AddField(
            model_name="playing",
            name="second_seconds",
            field=models.FloatField(default=0),
        ),
        migrations.AddField(
            model_name="playing",
            name="second_sink",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="playing",
            name="tone_seconds",
            field=models.FloatField(default=0),
        ),
    ]
