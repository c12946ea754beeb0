# SPDX-License-Identifier: Apache-2.0
"""Lists of people who are to have accounts."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authority', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PeopleImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=200)),
                ('content', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('conversion', models.CharField(blank=True, max_length=16)),
                ('layout', models.JSONField(default=dict)),
                ('fixes', models.JSONField(default=dict)),
                ('made_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('state', models.CharField(blank=True, choices=[('', 'being checked'), ('storing', 'storing new entries; no one sees them yet'), ('changing', 'storing changed entries'), ('looking', 'updating what depends on it'), ('back', 'being undone'), ('done', 'stored')], default='', max_length=8)),
                ('accepted', models.JSONField(default=dict)),
                ('added', models.PositiveIntegerField(default=0)),
                ('changed', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('usual_role', models.CharField(max_length=20)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
    ]
