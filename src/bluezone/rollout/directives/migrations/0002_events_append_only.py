# SPDX-License-Identifier: Apache-2.0
"""The database itself refuses to change or delete what happened to a dispatch."""

from django.db import migrations

MESSAGE = "the log of a dispatch is append-only"
TABLE = "directives_dispatchevent"

SQLITE = [
    f"""CREATE TRIGGER dispatch_log_never_changes BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER dispatch_log_is_kept BEFORE DELETE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
POSTGRESQL = [
    f"""CREATE FUNCTION dispatch_log_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$""",
    f"""CREATE TRIGGER dispatch_log_guard BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION dispatch_log_guard()""",
]


def make_guards(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("directives", "0001_initial")]
    operations = [migrations.RunPython(make_guards, elidable=False)]
