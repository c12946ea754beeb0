# SPDX-License-Identifier: Apache-2.0
"""Lists of telephone numbers."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0006_special_zones'),
    ]

    operations = [
        migrations.AlterField(
            model_name='listimport',
            name='about',
            field=models.CharField(choices=[('units', 'Units'), ('agencies', 'Agencies'), ('phones', 'Telephone numbers')], max_length=16),
        ),
    ]
