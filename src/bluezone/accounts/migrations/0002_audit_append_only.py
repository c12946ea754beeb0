# SPDX-License-Identifier: Apache-2.0
"""The database itself refuses to change an audit entry, and to delete one before its year is over."""

from django.db import migrations

MESSAGE = "the audit is append-only"

SQLITE = [
    f"""CREATE TRIGGER audit_never_changes BEFORE UPDATE ON accounts_auditentry
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER audit_is_kept BEFORE DELETE ON accounts_auditentry
        WHEN julianday(OLD.at) > julianday('now', '-365 days')
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER audit_follows BEFORE INSERT ON accounts_auditentry
        WHEN NEW.number <= (SELECT COALESCE(MAX(number), 0) FROM accounts_auditentry)
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
POSTGRESQL = [
    f"""CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.at <= now() - interval '365 days' THEN RETURN OLD; END IF;
            RAISE EXCEPTION '{MESSAGE}';
        END $$""",
    """CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE ON accounts_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_guard()""",
    """CREATE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON accounts_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()""",
]


def make_guards(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(make_guards, elidable=False)]
