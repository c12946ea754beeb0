# SPDX-License-Identifier: Apache-2.0
"""Where the columns of a list are, what a person corrected in it, and what headings were said to mean."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0004_lists_in_pieces'),
    ]

    operations = [
        migrations.AddField(
            model_name='listimport',
            name='fixes',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='listimport',
            name='layout',
            field=models.JSONField(default=dict),
        ),
        migrations.CreateModel(
            name='RememberedHeading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(max_length=16)),
                ('place', models.CharField(blank=True, max_length=40)),
                ('heading', models.CharField(max_length=200)),
                ('column', models.CharField(blank=True, max_length=40)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('about', 'place', 'heading'), name='one_meaning_a_heading')],
            },
        ),
    ]
