# SPDX-License-Identifier: Apache-2.0
"""Directives can be practised: rows of training mode beside the real ones, and only they can be erased."""

import bluezone.accounts.training
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


TABLE = "directives_dispatchevent"
MESSAGE = "the log of a dispatch is append-only"
SQLITE = [
    "DROP TRIGGER IF EXISTS dispatch_log_never_changes",
    "DROP TRIGGER IF EXISTS dispatch_log_is_kept",
    f"""CREATE TRIGGER dispatch_log_never_changes BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER dispatch_log_is_kept BEFORE DELETE ON {TABLE} WHEN NOT OLD.training
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
POSTGRESQL = [
    f"""CREATE OR REPLACE FUNCTION dispatch_log_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.training THEN RETURN OLD; END IF;
            RAISE EXCEPTION '{MESSAGE}';
        END $$""",
]


def make_guards(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0002_code_once_a_day"),
        ("directives", "0006_campaigns_and_reopening"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="campaign",
            options={"base_manager_name": "everything", "ordering": ["name"]},
        ),
        migrations.AlterModelOptions(
            name="changerequest",
            options={"base_manager_name": "everything", "ordering": ["-asked_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="directive",
            options={"base_manager_name": "everything", "ordering": ["-made_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="dispatch",
            options={"base_manager_name": "everything", "ordering": ["-arrived_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="dispatchevent",
            options={"base_manager_name": "everything", "ordering": ["-at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="periodrequest",
            options={"base_manager_name": "everything", "ordering": ["-asked_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="report",
            options={"base_manager_name": "everything", "ordering": ["-period", "-submitted_at", "-pk"]},
        ),
        migrations.AlterModelOptions(
            name="storedfile",
            options={"base_manager_name": "everything"},
        ),
        migrations.AlterModelOptions(
            name="task",
            options={"base_manager_name": "everything", "ordering": ["directive", "position"]},
        ),
        migrations.AlterModelOptions(
            name="taskparty",
            options={"base_manager_name": "everything", "ordering": ["task", "-role", "pk"]},
        ),
        migrations.AlterModelManagers(
            name="campaign",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="changerequest",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="directive",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="dispatch",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="dispatchevent",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="periodrequest",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="report",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="storedfile",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="task",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterModelManagers(
            name="taskparty",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("everything", django.db.models.manager.Manager()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="directive",
            name="directive_once",
        ),
        migrations.RemoveConstraint(
            model_name="dispatch",
            name="incoming_number_once_a_year",
        ),
        migrations.AddField(
            model_name="campaign",
            name="made_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField(
            model_name="campaign",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="changerequest",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="directive",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="dispatch",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="dispatchevent",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="periodrequest",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="report",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="storedfile",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="task",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AddField(
            model_name="taskparty",
            name="training",
            field=models.BooleanField(default=bluezone.accounts.training.practising, editable=False),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="name",
            field=models.CharField(max_length=200, verbose_name="Campaign"),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.UniqueConstraint(fields=("name", "training"), name="campaign_name_once"),
        ),
        migrations.AddConstraint(
            model_name="directive",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "draft"), _negated=True),
                fields=("issuer", "number", "notation", "date", "training"),
                name="directive_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.UniqueConstraint(
                fields=("agency", "incoming_year", "incoming_number", "training"), name="incoming_number_once_a_year"
            ),
        ),
        migrations.RunPython(make_guards, elidable=False),
    ]
