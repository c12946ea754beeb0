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
            field=models.CharField(blank=True, choices=[('', 'is looked at'), ('storing', 'what is new is being stored; nobody sees it yet'), ('changing', 'what is changed is being stored'), ('looking', 'what follows from it is being worked out'), ('back', 'is being taken back'), ('done', 'stored')], default='', max_length=8),
        ),
    ]
