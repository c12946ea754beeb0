# SPDX-License-Identifier: Apache-2.0
"""What a gate program says of itself is kept beside the gate that it counts for."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies: ClassVar = [("gates", "0001_squashed_0004_paper_slips")]
    operations: ClassVar = [
        migrations.AddField("gatedevice", "health", models.JSONField(editable=False, null=True)),
    ]
