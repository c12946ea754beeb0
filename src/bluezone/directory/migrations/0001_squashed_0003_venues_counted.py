# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 to 0003 make, each table in one step, so that the store of a new office is ready in seconds."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

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

    initial = True
    replaces = [
        ("agencies", "0001_initial"),
        ("agencies", "0002_code_once_a_day"),
        ("agencies", "0003_venues_counted"),
    ]

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name='AdminUnit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, max_length=64, unique=True)),
                ('code', models.CharField(blank=True, db_index=True, max_length=40, null=True, verbose_name='Code')),
                ('name', models.CharField(max_length=200, verbose_name='Official name')),
                ('folded', models.TextField(editable=False)),
                ('path', models.CharField(db_index=True, editable=False, max_length=255)),
                ('valid_from', models.DateField(blank=True, null=True, verbose_name='Valid from')),
                ('valid_to', models.DateField(blank=True, null=True, verbose_name='No longer valid from')),
                ('confirmed', models.BooleanField(default=True, verbose_name='Confirmed by the city')),
                ('unconfirmed', models.JSONField(blank=True, default=list)),
                ('kind', models.CharField(choices=[('province', 'Province'), ('district', 'City or district'), ('ward', 'Ward'), ('commune', 'Commune'), ('group', 'Residential group')], max_length=16, verbose_name='Level')),
                ('head_name', models.CharField(blank=True, max_length=80, verbose_name='Head')),
                ('head_phone', models.CharField(blank=True, max_length=20, verbose_name='Telephone of the head')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='agencies.adminunit')),
            ],
            options={
                'ordering': ['name', 'pk'],
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_from__isnull', True), ('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='adminunit_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('key', ''), _negated=True), models.Q(('code__isnull', True), models.Q(('code', ''), _negated=True), _connector='OR')), name='adminunit_is_named'), models.CheckConstraint(condition=models.Q(('kind__in', ['province', 'district', 'ward', 'commune', 'group'])), name='unit_kind_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'province'), ('parent__isnull', True)), models.Q(models.Q(('kind', 'province'), _negated=True), ('parent__isnull', False)), _connector='OR'), name='only_a_province_has_no_parent'), models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='unit_is_not_its_own_parent'), models.CheckConstraint(condition=models.Q(('kind', 'group'), models.Q(('head_name', ''), ('head_phone', '')), _connector='OR'), name='only_a_group_has_a_head')],
            },
        ),
        migrations.CreateModel(
            name='Agency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, max_length=64, unique=True)),
                ('code', models.CharField(blank=True, db_index=True, max_length=40, null=True, verbose_name='Code')),
                ('name', models.CharField(max_length=200, verbose_name='Official name')),
                ('folded', models.TextField(editable=False)),
                ('path', models.CharField(db_index=True, editable=False, max_length=255)),
                ('valid_from', models.DateField(blank=True, null=True, verbose_name='Valid from')),
                ('valid_to', models.DateField(blank=True, null=True, verbose_name='No longer valid from')),
                ('confirmed', models.BooleanField(default=True, verbose_name='Confirmed by the city')),
                ('unconfirmed', models.JSONField(blank=True, default=list)),
                ('kind', models.CharField(choices=[('committee', 'People’s Committee'), ('department', 'Department of a People’s Committee'), ('union', 'Union'), ('party', 'Party body'), ('media', 'Media'), ('health', 'Health'), ('police', 'Police'), ('military', 'Military'), ('service', 'Public service unit'), ('branch', 'Branch of a higher body'), ('school', 'School'), ('enterprise', 'Enterprise')], max_length=16, verbose_name='Kind')),
                ('short_name', models.CharField(blank=True, max_length=80, verbose_name='Short name')),
                ('edxml_id', models.CharField(blank=True, max_length=40, verbose_name='Identifier on the document axis')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='E-mail of the agency')),
                ('phone', models.CharField(blank=True, max_length=20, verbose_name='Telephone of the agency')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='agencies.agency')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='agencies', to='agencies.adminunit')),
            ],
            options={
                'verbose_name_plural': 'agencies',
                'ordering': ['name', 'pk'],
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_from__isnull', True), ('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='agency_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('key', ''), _negated=True), models.Q(('code__isnull', True), models.Q(('code', ''), _negated=True), _connector='OR')), name='agency_is_named'), models.CheckConstraint(condition=models.Q(('kind__in', ['committee', 'department', 'union', 'party', 'media', 'health', 'police', 'military', 'service', 'branch', 'school', 'enterprise'])), name='agency_kind_is_known'), models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='agency_is_not_its_own_parent')],
            },
        ),
        migrations.CreateModel(
            name='AgencySuccession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('ended', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='took_over', to='agencies.agency')),
                ('successor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='took_over_from', to='agencies.agency')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('ended', 'successor'), name='agencysuccession_once'), models.CheckConstraint(condition=models.Q(('ended', models.F('successor')), _negated=True), name='agencysuccession_is_another')],
            },
        ),
        migrations.CreateModel(
            name='Denominator',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('population', 'Population'), ('households', 'Households'), ('smartphones', 'Smartphones'), ('staff', 'Staff'), ('venues', 'Venues open to the public')], max_length=16, verbose_name='What is counted')),
                ('value', models.PositiveIntegerField(verbose_name='Number')),
                ('source', models.CharField(max_length=200, verbose_name='Source')),
                ('as_of', models.DateField(verbose_name='True on')),
                ('agency', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='denominators', to='agencies.agency')),
                ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='denominators', to='agencies.adminunit')),
            ],
            options={
                'ordering': ['kind', '-as_of'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('agency__isnull', False), ('unit__isnull', True)), models.Q(('agency__isnull', True), ('unit__isnull', False)), _connector='OR'), name='denominator_is_of_one_holder'), models.CheckConstraint(condition=models.Q(('kind__in', ['population', 'households', 'smartphones', 'staff', 'venues']), ('value__gte', 0), models.Q(('source', ''), _negated=True)), name='denominator_is_whole'), models.UniqueConstraint(fields=('unit', 'kind', 'as_of'), name='one_figure_a_unit_and_day'), models.UniqueConstraint(fields=('agency', 'kind', 'as_of'), name='one_figure_an_agency_and_day')],
            },
        ),
        migrations.CreateModel(
            name='ListImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(choices=[('units', 'Units'), ('agencies', 'Agencies')], max_length=16)),
                ('file_name', models.CharField(max_length=200)),
                ('content', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('conversion', models.CharField(blank=True, max_length=16)),
                ('day', models.DateField()),
                ('made_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='list_imports', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='RecipientGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, max_length=64, unique=True)),
                ('name', models.CharField(max_length=200, verbose_name='Official name')),
                ('purpose', models.CharField(choices=[('action', 'for action'), ('information', 'for information'), ('file', 'for file')], default='action', max_length=16, verbose_name='Purpose')),
                ('agencies', models.ManyToManyField(blank=True, related_name='recipient_groups', to='agencies.agency')),
            ],
            options={
                'ordering': ['name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('purpose__in', ['action', 'information', 'file'])), name='purpose_is_known'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='recipient_group_is_named')],
            },
        ),
        migrations.CreateModel(
            name='UnitSuccession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('ended', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='took_over', to='agencies.adminunit')),
                ('successor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='took_over_from', to='agencies.adminunit')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('ended', 'successor'), name='unitsuccession_once'), models.CheckConstraint(condition=models.Q(('ended', models.F('successor')), _negated=True), name='unitsuccession_is_another')],
            },
        ),
        migrations.AddField(
            model_name='agency',
            name='successors',
            field=models.ManyToManyField(related_name='predecessors', through='agencies.AgencySuccession', through_fields=('ended', 'successor'), to='agencies.agency'),
        ),
        migrations.AddField(
            model_name='adminunit',
            name='successors',
            field=models.ManyToManyField(related_name='predecessors', through='agencies.UnitSuccession', through_fields=('ended', 'successor'), to='agencies.adminunit'),
        ),
        migrations.RunPython(make_guards, elidable=False),
    ]
