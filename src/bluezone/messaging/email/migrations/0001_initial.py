# SPDX-License-Identifier: Apache-2.0

import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Mail',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('to', models.EmailField(max_length=254)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('text', models.TextField(blank=True)),
                ('html', models.TextField(blank=True)),
                ('digest_day', models.DateField(null=True)),
                ('queued_at', models.DateTimeField()),
                ('next_try_at', models.DateTimeField(db_index=True, null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('trouble', models.CharField(blank=True, max_length=80)),
                ('sent_at', models.DateTimeField(null=True)),
                ('given_up_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['queued_at'],
                'constraints': [models.UniqueConstraint(fields=('to', 'digest_day'), name='one_digest_a_day_and_address'), models.CheckConstraint(condition=models.Q(models.Q(('given_up_at__isnull', True), ('next_try_at__isnull', False), ('sent_at__isnull', True)), models.Q(('given_up_at__isnull', True), ('next_try_at__isnull', True), ('sent_at__isnull', False)), models.Q(('given_up_at__isnull', False), ('next_try_at__isnull', True), ('sent_at__isnull', True)), _connector='OR'), name='mail_waits_is_sent_or_given_up')],
            },
        ),
    ]
