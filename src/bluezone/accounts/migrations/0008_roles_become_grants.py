# SPDX-License-Identifier: Apache-2.0
"""What an account was for becomes a grant in the whole city; a delegation is never delegated again."""

from django.db import migrations
from django.utils import timezone

MESSAGE = "a delegated role is not delegated again"

SQLITE = [
    f"""CREATE TRIGGER delegated_once_{verb.lower()} BEFORE {verb} ON accounts_rolegrant
        WHEN NEW.delegated_by_id IS NOT NULL AND (
            EXISTS (SELECT 1 FROM accounts_rolegrant WHERE id = NEW.delegated_by_id AND delegated_by_id IS NOT NULL)
            OR EXISTS (SELECT 1 FROM accounts_rolegrant WHERE delegated_by_id = NEW.id))
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"""
    for verb in ("INSERT", "UPDATE")
]
POSTGRESQL = [
    f"""CREATE FUNCTION delegated_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.delegated_by_id IS NOT NULL AND (
                EXISTS (SELECT 1 FROM accounts_rolegrant WHERE id = NEW.delegated_by_id AND delegated_by_id IS NOT NULL)
                OR EXISTS (SELECT 1 FROM accounts_rolegrant WHERE delegated_by_id = NEW.id))
            THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END IF;
            RETURN NEW;
        END $$""",
    """CREATE TRIGGER delegated_once BEFORE INSERT OR UPDATE ON accounts_rolegrant
        FOR EACH ROW EXECUTE FUNCTION delegated_once()""",
]


def move_roles(apps, schema_editor):
    user, grant = apps.get_model("accounts", "User"), apps.get_model("accounts", "RoleGrant")
    for account in user.objects.all():
        begun = timezone.localdate(account.created_at)
        grant.objects.create(user=account, role=account.role, valid_from=begun)


def make_guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_role_grants")]
    operations = [
        migrations.RunPython(move_roles, elidable=False),
        migrations.RunPython(make_guard, elidable=False),
    ]
