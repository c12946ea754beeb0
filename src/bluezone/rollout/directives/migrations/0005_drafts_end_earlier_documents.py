# SPDX-License-Identifier: Apache-2.0
"""A draft says what becomes of the earlier document it names; directives are found without diacritics."""

from django.db import migrations, models

from bluezone.agencies.folding import fold


def fill(apps, schema_editor):
    directives = apps.get_model("directives", "Directive").objects
    for one in directives.defer("text", "proposal").iterator():
        code = f"{one.number or '…'}/{one.notation}" if one.notation else one.number or "…"
        directives.filter(pk=one.pk).update(folded=fold(f"{code} {one.subject}"))


class Migration(migrations.Migration):
    dependencies = [("directives", "0004_events_append_only_again")]
    operations = [
        migrations.AddField(
            model_name="directive",
            name="ending",
            field=models.CharField(
                choices=[("replaced", "this document replaces it"), ("revoked", "this document revokes it")],
                default="replaced",
                max_length=8,
            ),
        ),
        migrations.AddField(model_name="directive", name="folded", field=models.TextField(default="", editable=False)),
        migrations.AlterField(
            model_name="task",
            name="days_to_lock",
            field=models.PositiveSmallIntegerField(default=7, verbose_name="Days until a period is locked"),
        ),
        migrations.AlterField(
            model_name="task",
            name="days_to_report",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="Days to report after a period"),
        ),
        migrations.AlterField(
            model_name="task",
            name="report_from",
            field=models.DateField(blank=True, null=True, verbose_name="First day of the first period"),
        ),
        migrations.AddConstraint(
            model_name="directive",
            constraint=models.CheckConstraint(
                condition=models.Q(("ending__in", ["replaced", "revoked"])), name="directive_ending_is_known"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
