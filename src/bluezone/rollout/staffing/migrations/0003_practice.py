# SPDX-License-Identifier: Apache-2.0
"""Opening a locked week again can be practised: requests of training mode beside the real ones."""


import bluezone.accounts.training
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0003_venues_counted'),
        ('staffing', '0002_week_requests'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='weekreopening',
            options={'base_manager_name': 'everything', 'ordering': ['-opened_at']},
        ),
        migrations.AlterModelOptions(
            name='weekrequest',
            options={'base_manager_name': 'everything', 'ordering': ['-asked_at', '-pk']},
        ),
        migrations.AlterModelManagers(
            name='weekreopening',
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name='weekrequest',
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='weekrequest',
            name='one_open_request_a_week',
        ),
        migrations.AddField(
            model_name='weekreopening',
            name='training',
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name='weekrequest',
            name='training',
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddConstraint(
            model_name='weekrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('agency', 'week', 'training'), name='one_open_request_a_week'),
        ),
    ]
