# SPDX-License-Identifier: Apache-2.0
"""The states of a list have one name each, whatever the list is about."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('canvass', '0002_imports_in_pieces'),
    ]

    operations = [
        migrations.AlterField(
            model_name='doorsimport',
            name='state',
            field=models.CharField(blank=True, choices=[('', 'being checked'), ('storing', 'storing new entries; no one sees them yet'), ('changing', 'storing changed entries'), ('looking', 'updating what depends on it'), ('back', 'being undone'), ('done', 'stored')], default='', max_length=8),
        ),
    ]
