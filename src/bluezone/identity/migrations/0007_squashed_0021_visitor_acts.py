# SPDX-License-Identifier: Apache-2.0
"""What migrations 0007 to 0021 make, each table in one step, so that the store of a new office is ready in seconds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

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


def make_guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("accounts", "0007_role_grants"),
        ("accounts", "0008_roles_become_grants"),
        ("accounts", "0009_user_without_role"),
        ("accounts", "0010_factors_and_sessions"),
        ("accounts", "0011_news_acts"),
        ("accounts", "0012_directive_acts"),
        ("accounts", "0013_own_email"),
        ("accounts", "0014_gate_acts"),
        ("accounts", "0015_gate_device_act"),
        ("accounts", "0016_field_work_acts"),
        ("accounts", "0017_bulletin_acts"),
        ("accounts", "0018_canvass_acts"),
        ("accounts", "0019_gate_slip_acts"),
        ("accounts", "0020_school_acts"),
        ("accounts", "0021_visitor_acts"),
    ]

    dependencies = [
        ("accounts", "0001_squashed_0006_health_acts"),
        ("agencies", "0001_squashed_0003_venues_counted"),
    ]

    operations = [
        migrations.AddField(
            model_name='rolegrant',
            name='agency',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.agency'),
        ),
        migrations.AddField(
            model_name='rolegrant',
            name='delegated_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='delegated', to='accounts.rolegrant'),
        ),
        migrations.AddField(
            model_name='rolegrant',
            name='unit',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit'),
        ),
        migrations.AddField(
            model_name='rolegrant',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['issuer', 'clerk', 'lead', 'officer', 'gatekeeper', 'canvasser', 'drive_lead', 'teacher', 'venue_owner', 'speaker_operator', 'editor', 'health_worker', 'supervisor', 'auditor', 'leader', 'admin'])), name='role_is_known'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(('agency__isnull', True), ('unit__isnull', True), _connector='OR'), name='one_scope_agency_or_unit'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='grant_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(('delegated_by__isnull', True), ('valid_to__isnull', False), _connector='OR'), name='a_delegation_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(('delegated_by__isnull', True), models.Q(('delegated_by', models.F('id')), _negated=True), _connector='OR'), name='a_delegation_rests_on_another'),
        ),
        migrations.RunPython(make_guard, elidable=False),
    ]
