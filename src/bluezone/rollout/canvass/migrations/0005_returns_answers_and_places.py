# SPDX-License-Identifier: Apache-2.0
"""When to come again in one tap, the city's own outcomes with what was offered, and where a door lies."""

from django.db import migrations, models

REVISIT = [
    ("after_17", "come back after 17:00"),
    ("tomorrow", "come back tomorrow morning"),
    ("weekend", "come back at the weekend"),
    ("other_day", "come back another day"),
]


class Migration(migrations.Migration):

    dependencies = [
        ("canvass", "0004_layouts_of_lists"),
    ]

    operations = [
        migrations.AddField("household", "latitude", models.FloatField(editable=False, null=True)),
        migrations.AddField("household", "longitude", models.FloatField(editable=False, null=True)),
        migrations.AddField("visit", "answer", models.CharField(blank=True, max_length=24)),
        migrations.AddField("visit", "offered", models.JSONField(default=list)),
        migrations.AlterField(
            "household", "revisit", models.CharField(blank=True, choices=REVISIT, editable=False, max_length=12)
        ),
        migrations.AlterField(
            "visit",
            "revisit",
            models.CharField(blank=True, choices=REVISIT, max_length=12, verbose_name="Come back"),
        ),
    ]
