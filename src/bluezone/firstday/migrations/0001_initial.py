# SPDX-License-Identifier: Apache-2.0
"""What was tried on the first day."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('mail', 'Mail'), ('sms', 'Sms'), ('phone', 'Phone'), ('key', 'Key'), ('practice', 'Practice')], max_length=8, unique=True)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('about', models.CharField(blank=True, max_length=64)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('begun_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('passed_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('passed_at__isnull', True), ('digest', ''), _connector='OR'), name='a_passed_trial_is_over')],
            },
        ),
    ]
