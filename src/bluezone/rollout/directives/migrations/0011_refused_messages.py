# SPDX-License-Identifier: Apache-2.0
"""Messages of partners that were refused, counted so that they are limited."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agencies", "0004_lists_in_pieces"), ("directives", "0010_letter_seals")]

    operations = [
        migrations.CreateModel(
            name="RefusedMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40)),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refused_messages",
                        to="agencies.agency",
                    ),
                ),
            ],
            options={"ordering": ["-at", "-pk"]},
        ),
    ]
