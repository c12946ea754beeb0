# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 to 0006 make, each table in one step, so that the store of a new office is ready in seconds."""

import bluezone.training
import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("healthauthority", "0001_initial"),
        ("healthauthority", "0002_console"),
        ("healthauthority", "0003_facility_beside_its_name"),
        ("healthauthority", "0004_facility_is_an_agency"),
        ("healthauthority", "0005_facility_without_its_name"),
        ("healthauthority", "0006_practice"),
    ]

    dependencies = [
        ("accounts", "__first__"),
        ("agencies", "0001_squashed_0003_venues_counted"),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key_digest', models.CharField(max_length=64, unique=True)),
                ('rows_digest', models.CharField(max_length=64)),
                ('answer', models.BinaryField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='OpenedDeclaration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('handle', models.CharField(max_length=64, unique=True)),
                ('opened_at', models.DateTimeField()),
                ('called_at', models.DateTimeField(null=True)),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='DeclarationKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_pem', models.TextField()),
                ('sealed', models.BinaryField()),
                ('made_at', models.DateTimeField()),
                ('replaced_at', models.DateTimeField(null=True)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-made_at', '-pk'],
                'constraints': [models.UniqueConstraint(models.Value(1), condition=models.Q(('replaced_at__isnull', True)), name='one_declaration_key_in_force')],
            },
        ),
        migrations.CreateModel(
            name='IssuedCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('handle', models.CharField(max_length=128, unique=True)),
                ('case_class', models.CharField(choices=[('confirmed', 'Confirmed by a test'), ('clinical', 'Clinical diagnosis, no test')], max_length=16)),
                ('onset', models.DateField(null=True)),
                ('issued_at', models.DateTimeField(db_index=True)),
                ('expires_at', models.DateTimeField()),
                ('link_expires_at', models.DateTimeField()),
                ('form_id', models.UUIDField(unique=True)),
                ('facility', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.agency')),
                ('worker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='codes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-issued_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('case_class__in', ['confirmed', 'clinical'])), name='case_class_is_known')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='QuotaRaise',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(db_index=True)),
                ('more', models.PositiveIntegerField()),
                ('reason', models.CharField(choices=[('many_cases', 'Many cases today'), ('mass_testing', 'Mass testing results have arrived'), ('absent', 'Covers for a colleague who is away'), ('other_place', 'Also works for another facility today')], max_length=20)),
                ('raised_at', models.DateTimeField()),
                ('facility', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.agency')),
                ('raised_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('worker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='quota_raises', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-raised_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason__in', ['many_cases', 'mass_testing', 'absent', 'other_place'])), name='raise_reason_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('facility__isnull', True), ('worker__isnull', False)), models.Q(('facility__isnull', False), ('worker__isnull', True)), _connector='OR'), name='raise_is_for_a_worker_or_a_facility')],
            },
        ),
    ]
