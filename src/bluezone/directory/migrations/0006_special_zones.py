# SPDX-License-Identifier: Apache-2.0
"""Special zones among the units, and the hours of an agency."""

from importlib import import_module

from django.db import migrations, models

_GUARDS = import_module("bluezone.directory.migrations.0004_lists_in_pieces")


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0005_layouts_and_headings'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='adminunit',
            name='unit_kind_is_known',
        ),
        migrations.AddField(
            model_name='agency',
            name='hours',
            field=models.CharField(blank=True, max_length=100, verbose_name='Opening hours'),
        ),
        migrations.AlterField(
            model_name='adminunit',
            name='kind',
            field=models.CharField(choices=[('province', 'Province'), ('district', 'City or district'), ('ward', 'Ward'), ('commune', 'Commune'), ('zone', 'Special zone'), ('group', 'Residential group')], max_length=16, verbose_name='Level'),
        ),
        migrations.AddConstraint(
            model_name='adminunit',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['province', 'district', 'ward', 'commune', 'zone', 'group'])), name='unit_kind_is_known'),
        ),
        # SQLite makes both tables anew, without their triggers.
        migrations.RunPython(_GUARDS.make_guards),
    ]
