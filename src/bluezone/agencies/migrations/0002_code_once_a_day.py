# SPDX-License-Identifier: Apache-2.0
"""The database itself refuses two units, or two agencies, with one code on one day."""

from django.db import migrations

MESSAGE = "the code belongs to another row on the same days"
TABLES = ["agencies_adminunit", "agencies_agency"]

SQLITE = """
    CREATE TRIGGER {table}_code_{event} BEFORE {event} {columns} ON {table}
    WHEN NEW.code IS NOT NULL AND EXISTS (
        SELECT 1 FROM {table} AS other WHERE other.code = NEW.code AND other.id IS NOT NEW.id
        AND COALESCE(other.valid_from, '0001-01-01') < COALESCE(NEW.valid_to, '9999-12-31')
        AND COALESCE(NEW.valid_from, '0001-01-01') < COALESCE(other.valid_to, '9999-12-31'))
    BEGIN SELECT RAISE(ABORT, '{message}'); END"""

# The lock makes two transactions look one after the other; a number of our own, the same for both tables.
POSTGRESQL_FUNCTION = f"""
    CREATE FUNCTION agencies_code_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE taken boolean;
    BEGIN
        IF NEW.code IS NULL THEN RETURN NEW; END IF;
        PERFORM pg_advisory_xact_lock(1113211203);
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I AS other WHERE other.code = $1 AND other.id <> $2
            AND COALESCE(other.valid_from, ''-infinity'') < COALESCE($4, ''infinity''::date)
            AND COALESCE($3, ''-infinity''::date) < COALESCE(other.valid_to, ''infinity''))',
            TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO taken USING NEW.code, NEW.id, NEW.valid_from, NEW.valid_to;
        IF taken THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'unique_violation'; END IF;
        RETURN NEW;
    END $$"""
POSTGRESQL_TRIGGER = """
    CREATE TRIGGER {table}_code BEFORE INSERT OR UPDATE OF code, valid_from, valid_to ON {table}
    FOR EACH ROW EXECUTE FUNCTION agencies_code_guard()"""


def make_guards(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            for event, columns in (("INSERT", ""), ("UPDATE", "OF code, valid_from, valid_to")):
                schema_editor.execute(SQLITE.format(table=table, event=event, columns=columns, message=MESSAGE))
    else:
        schema_editor.execute(POSTGRESQL_FUNCTION, params=None)
        for table in TABLES:
            schema_editor.execute(POSTGRESQL_TRIGGER.format(table=table))


class Migration(migrations.Migration):
    dependencies = [("agencies", "0001_initial")]
    operations = [migrations.RunPython(make_guards, elidable=False)]
