# SPDX-License-Identifier: Apache-2.0

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("agencies", "0001_squashed_0003_venues_counted"),
    ]

    operations = [
        migrations.CreateModel(
            name='EnrolmentFailure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(db_index=True, max_length=64)),
                ('at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='Device',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('gate', 'Tablet at a gate'), ('canvass', 'Phone for house visits'), ('speaker', 'Loudspeaker'), ('drive', 'Phone at an install drive')], max_length=16, verbose_name='Kind')),
                ('name', models.CharField(max_length=80, verbose_name='Name of the device')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('code_digest', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('code_expires_at', models.DateTimeField(editable=False, null=True)),
                ('token_digest', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('enrolled_at', models.DateTimeField(editable=False, null=True)),
                ('last_seen_hour', models.DateTimeField(editable=False, null=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='agencies.agency', verbose_name='Agency that looks after it')),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='agencies.adminunit', verbose_name='Area it works in')),
            ],
            options={
                'ordering': ['agency__name', 'name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['gate', 'canvass', 'speaker', 'drive'])), name='device_kind_is_known'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='device_has_a_name'), models.CheckConstraint(condition=models.Q(models.Q(('code_digest__isnull', True), ('code_expires_at__isnull', True)), models.Q(('code_digest__isnull', False), ('code_expires_at__isnull', False)), _connector='OR'), name='device_code_expires'), models.CheckConstraint(condition=models.Q(('token_digest__isnull', True), ('enrolled_at__isnull', False), _connector='OR'), name='device_token_is_enrolled'), models.CheckConstraint(condition=models.Q(('revoked_at__isnull', True), models.Q(('code_digest__isnull', True), ('token_digest__isnull', True)), _connector='OR'), name='revoked_device_has_no_key'), models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('agency', 'name'), name='device_name_once_an_agency')],
            },
        ),
    ]
