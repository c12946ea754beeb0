# SPDX-License-Identifier: Apache-2.0
"""The minute of a sign-in is stored nowhere: neither the last one of an account nor the beginning of a session."""

from django.db import migrations, models

import bluezone.identity.models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0023_work_phone")]

    operations = [
        migrations.RemoveField(model_name="user", name="last_login"),
        migrations.AlterField(
            model_name="officesession",
            name="begun_at",
            field=models.DateTimeField(default=bluezone.identity.models.this_hour),
        ),
    ]
