# SPDX-License-Identifier: Apache-2.0
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_roles_become_grants'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='user',
            name='role_is_known',
        ),
        migrations.RemoveField(
            model_name='user',
            name='role',
        ),
    ]
