# SPDX-License-Identifier: Apache-2.0
"""Guard the log of dispatches again: SQLite makes a table anew to change a constraint, and drops its triggers with it."""

import importlib

from django.db import migrations

guards = importlib.import_module("bluezone.rollout.directives.migrations.0002_events_append_only")


def guard_again(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    for statement in guards.SQLITE:
        schema_editor.execute(statement.replace("CREATE TRIGGER", "CREATE TRIGGER IF NOT EXISTS", 1))


class Migration(migrations.Migration):
    dependencies = [("directives", "0003_exchange")]
    operations = [migrations.RunPython(guard_again, elidable=False)]
