# SPDX-License-Identifier: Apache-2.0
"""An agency may ask for a locked week to be opened again."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0002_code_once_a_day'),
        ('staffing', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WeekRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField()),
                ('reason', models.CharField(max_length=200, verbose_name='Reason')),
                ('state', models.CharField(choices=[('open', 'waiting for an answer'), ('granted', 'granted'), ('declined', 'declined')], default='open', max_length=12)),
                ('answer', models.CharField(blank=True, max_length=200, verbose_name='Answer')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='week_requests', to='agencies.agency')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='week_request_has_a_reason'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'granted', 'declined'])), name='week_request_state_is_known'), models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('agency', 'week'), name='one_open_request_a_week')],
            },
        ),
    ]
