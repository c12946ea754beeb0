# SPDX-License-Identifier: Apache-2.0
"""Seals of letters in full, with the signature of the office's key."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directives", "0009_exchange_over_the_network")]

    operations = [
        migrations.CreateModel(
            name="LetterSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.JSONField()),
                ("key", models.CharField(max_length=44)),
                ("signature", models.CharField(max_length=88)),
                (
                    "directive",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sealed", to="directives.directive"
                    ),
                ),
            ],
        ),
    ]
