# SPDX-License-Identifier: Apache-2.0
"""Campaigns have days and an owner; an agency may ask for a locked period to be opened again."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0002_code_once_a_day"),
        ("directives", "0005_drafts_end_earlier_documents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PeriodRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", models.DateField()),
                ("reason", models.CharField(max_length=300, verbose_name="Reason")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "waiting for an answer"), ("granted", "granted"), ("declined", "declined")],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("until", models.DateField(blank=True, null=True, verbose_name="Open until")),
                ("answer", models.CharField(blank=True, max_length=300, verbose_name="Answer")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("answered_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-asked_at", "-pk"],
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="aim",
            field=models.TextField(blank=True, max_length=2000, verbose_name="What it is to reach"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="begins",
            field=models.DateField(blank=True, null=True, verbose_name="First day"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="ends",
            field=models.DateField(blank=True, null=True, verbose_name="Last day"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="owner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="agencies.agency",
                verbose_name="Called by",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="rests_on",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="founded_campaigns",
                to="directives.directive",
                verbose_name="Basis document in the register",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("begins__isnull", True), ("ends__isnull", True), ("ends__gte", models.F("begins")), _connector="OR"
                ),
                name="campaign_ends_after_it_begins",
            ),
        ),
        migrations.AddField(
            model_name="periodrequest",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="period_requests", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="periodrequest",
            name="answered_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="periodrequest",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="periodrequest",
            name="task",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="period_requests", to="directives.task"
            ),
        ),
        migrations.AddIndex(
            model_name="periodrequest",
            index=models.Index(fields=["agency", "task", "period"], name="period_requests"),
        ),
        migrations.AddConstraint(
            model_name="periodrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="period_request_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="periodrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "granted", "declined"])), name="period_request_state_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="periodrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "granted"), _negated=True), ("until__isnull", False), _connector="OR"
                ),
                name="reopened_period_has_a_last_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="periodrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("task", "agency", "period"),
                name="one_open_request_a_period",
            ),
        ),
    ]
