# SPDX-License-Identifier: Apache-2.0
"""Where the columns of a list are, and what a person corrected in it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('canvass', '0003_lists_in_pieces'),
    ]

    operations = [
        migrations.AddField(
            model_name='doorsimport',
            name='fixes',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='doorsimport',
            name='layout',
            field=models.JSONField(default=dict),
        ),
    ]
