# SPDX-License-Identifier: Apache-2.0
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_directory_acts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('account_made', 'made an account'), ('account_changed', 'changed an account'), ('link_made', 'made a one-time link'), ('password_set', 'set a password'), ('code_issued', 'issued a code'), ('code_revoked', 'revoked a code'), ('quota_refused', 'was refused a code over the quota'), ('entry_made', 'entered a unit or agency'), ('entry_changed', 'changed a unit or agency'), ('figure_recorded', 'recorded a figure'), ('recipients_changed', 'changed a recipient group'), ('list_imported', 'imported a list'), ('device_made', 'entered a device'), ('device_code_made', 'made a code for a device'), ('device_enrolled', 'connected a device'), ('device_revoked', 'cut off a device')], max_length=40),
        ),
    ]
