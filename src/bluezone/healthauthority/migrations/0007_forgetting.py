# SPDX-License-Identifier: Apache-2.0
"""Of an issued code the office keeps its day, its worker and its facility: neither class nor onset nor time of day."""

from django.db import migrations, models
from django.utils import timezone

import bluezone.healthauthority.models


def forget_times(apps, schema_editor):
    """Leave the day of each code; the audit has had these at once."""
    for issued in apps.get_model("healthauthority", "IssuedCode")._base_manager.filter(training=False).iterator():
        issued.issued_at = timezone.localtime(issued.issued_at).replace(hour=0, minute=0, second=0, microsecond=0)
        issued.audited = True
        issued.save(update_fields=["issued_at", "audited"])


class Migration(migrations.Migration):

    dependencies = [
        ('healthauthority', '0001_squashed_0006_practice'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='issuedcode',
            name='case_class_is_known',
        ),
        migrations.RemoveField(
            model_name='issuedcode',
            name='case_class',
        ),
        migrations.RemoveField(
            model_name='issuedcode',
            name='expires_at',
        ),
        migrations.RemoveField(
            model_name='issuedcode',
            name='link_expires_at',
        ),
        migrations.RemoveField(
            model_name='issuedcode',
            name='onset',
        ),
        migrations.AddField(
            model_name='issuedcode',
            name='audited',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='issuedcode',
            name='proof',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AlterField(
            model_name='issuedcode',
            name='id',
            field=models.BigIntegerField(default=bluezone.healthauthority.models.random_key, editable=False, primary_key=True, serialize=False),
        ),
        migrations.RunPython(forget_times, migrations.RunPython.noop),
    ]
