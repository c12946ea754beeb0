# SPDX-License-Identifier: Apache-2.0
"""A list of units or agencies is stored some rows at a time, and its entries are seen when the last of them is.

A code is unique on any one day among what is seen; whether it is, is looked at once more when a row is shown.
"""

import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models

MESSAGE = "the code belongs to another row on the same days"
TABLES = ["agencies_adminunit", "agencies_agency"]
SQLITE = """
    CREATE TRIGGER {table}_code_{event} BEFORE {event} {columns} ON {table}
    WHEN NEW.code IS NOT NULL AND NEW.arriving_id IS NULL AND EXISTS (
        SELECT 1 FROM {table} AS other WHERE other.code = NEW.code AND other.id IS NOT NEW.id
        AND other.arriving_id IS NULL
        AND COALESCE(other.valid_from, '0001-01-01') < COALESCE(NEW.valid_to, '9999-12-31')
        AND COALESCE(NEW.valid_from, '0001-01-01') < COALESCE(other.valid_to, '9999-12-31'))
    BEGIN SELECT RAISE(ABORT, '{message}'); END"""
POSTGRESQL_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION agencies_code_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE taken boolean;
    BEGIN
        IF NEW.code IS NULL OR NEW.arriving_id IS NOT NULL THEN RETURN NEW; END IF;
        PERFORM pg_advisory_xact_lock(1113211203);
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.%I AS other WHERE other.code = $1 AND other.id <> $2
            AND other.arriving_id IS NULL
            AND COALESCE(other.valid_from, ''-infinity'') < COALESCE($4, ''infinity''::date)
            AND COALESCE($3, ''-infinity''::date) < COALESCE(other.valid_to, ''infinity''))',
            TG_TABLE_SCHEMA, TG_TABLE_NAME)
            INTO taken USING NEW.code, NEW.id, NEW.valid_from, NEW.valid_to;
        IF taken THEN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'unique_violation'; END IF;
        RETURN NEW;
    END $$"""
POSTGRESQL_TRIGGER = """
    CREATE TRIGGER {table}_code BEFORE INSERT OR UPDATE OF code, valid_from, valid_to, arriving_id ON {table}
    FOR EACH ROW EXECUTE FUNCTION agencies_code_guard()"""


def make_guards(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table in TABLES:
            for event, columns in (("INSERT", ""), ("UPDATE", "OF code, valid_from, valid_to, arriving_id")):
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_code_{event}")
                schema_editor.execute(SQLITE.format(table=table, event=event, columns=columns, message=MESSAGE))
    else:
        schema_editor.execute(POSTGRESQL_FUNCTION, params=None)
        for table in TABLES:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_code ON {table}")
            schema_editor.execute(POSTGRESQL_TRIGGER.format(table=table))


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0001_squashed_0003_venues_counted'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DirectoryState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.AlterModelOptions(
            name='adminunit',
            options={'base_manager_name': 'everything', 'ordering': ['name', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='agency',
            options={'base_manager_name': 'everything', 'ordering': ['name', 'pk'], 'verbose_name_plural': 'agencies'},
        ),
        migrations.AlterModelManagers(
            name='adminunit',
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name='agency',
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='adminunit',
            name='arriving',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='agencies.listimport'),
        ),
        migrations.AddField(
            model_name='agency',
            name='arriving',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='agencies.listimport'),
        ),
        migrations.AddField(
            model_name='listimport',
            name='accepted',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='listimport',
            name='added',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='listimport',
            name='changed',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='listimport',
            name='done',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='listimport',
            name='state',
            field=models.CharField(blank=True, choices=[('', 'being checked'), ('storing', 'storing new entries; no one sees them yet'), ('changing', 'storing changed entries'), ('looking', 'updating what depends on it'), ('back', 'being undone'), ('done', 'stored')], default='', max_length=8),
        ),
        migrations.AlterField(
            model_name='listimport',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='adminunit',
            index=models.Index(condition=models.Q(('arriving__isnull', False)), fields=['arriving'], name='adminunit_arriving'),
        ),
        migrations.AddIndex(
            model_name='agency',
            index=models.Index(condition=models.Q(('arriving__isnull', False)), fields=['arriving'], name='agency_arriving'),
        ),
        migrations.RunPython(make_guards),
    ]
