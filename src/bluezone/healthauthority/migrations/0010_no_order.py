# SPDX-License-Identifier: Apache-2.0
"""No row of codes or batches says in which order they were issued; PostgreSQL clears old versions within minutes."""

from django.db import migrations, models

import bluezone.healthauthority.models

TABLES = "healthauthority_issuedcode", "healthauthority_batch"


def draw_keys(apps, schema_editor):
    """Give the batches that are there keys by chance."""
    batches = apps.get_model("healthauthority", "Batch")._base_manager
    for counted in list(batches.values_list("pk", flat=True)):
        batches.filter(pk=counted).update(id=bluezone.healthauthority.models.random_key())


def vacuum_soon(apps, schema_editor):
    """Codes and batches are written again every hour (code_batches.mingle), and what they were before is to go."""
    if schema_editor.connection.vendor == "postgresql":
        for table in TABLES:
            schema_editor.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)"
            )


class Migration(migrations.Migration):

    dependencies = [
        ('healthauthority', '0009_sealed_minutes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='issuedcode',
            name='id',
            field=models.BigAutoField(default=bluezone.healthauthority.models.random_key, editable=False, primary_key=True, serialize=False),
        ),
        migrations.AlterField(
            model_name='batch',
            name='id',
            field=models.BigAutoField(default=bluezone.healthauthority.models.random_key, editable=False, primary_key=True, serialize=False),
        ),
        migrations.RunPython(vacuum_soon, migrations.RunPython.noop),
        migrations.RunPython(draw_keys, migrations.RunPython.noop),
    ]
