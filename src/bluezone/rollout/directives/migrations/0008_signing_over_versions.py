# SPDX-License-Identifier: Apache-2.0
"""Letters are signed over versions, received by whom they name, and due to the hour."""

import bluezone.training
import django.db.models.deletion
import django.db.models.manager
from django.conf import settings
from django.db import migrations, models


MESSAGE = "the log of a dispatch is append-only"
LOG = "directives_dispatchevent"
# SQLite makes a table anew to change it, and forgets its triggers.
LOG_GUARDS = [
    "DROP TRIGGER IF EXISTS dispatch_log_never_changes",
    "DROP TRIGGER IF EXISTS dispatch_log_is_kept",
    f"""CREATE TRIGGER dispatch_log_never_changes BEFORE UPDATE ON {LOG}
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER dispatch_log_is_kept BEFORE DELETE ON {LOG} WHEN NOT OLD.training
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
FROZEN = ("directives_directiveversion", "directives_directivestep")


def make_guards(apps, schema_editor):
    statements = []
    if schema_editor.connection.vendor == "sqlite":
        statements += LOG_GUARDS
        statements += [
            f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'what was signed never changes'); END"
            for table in FROZEN
        ]
    else:
        statements.append(
            "CREATE FUNCTION signed_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'what was signed never changes'; END $$"
        )
        statements += [
            f"CREATE TRIGGER {table}_never_changes BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION signed_version_guard()"
            for table in FROZEN
        ]
    for statement in statements:
        schema_editor.execute(statement)


def make_drafts_of_approved(apps, schema_editor):
    """What was confirmed without a version does not say what it covers; it is submitted and confirmed again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the tables are altered in this transaction
    directives = apps.get_model("directives", "Directive")._base_manager
    directives.filter(state="approved").update(state="draft", approved_by=None, approved_at=None)


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0001_squashed_0003_venues_counted'),
        ('directives', '0001_squashed_0007_practice'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(make_drafts_of_approved, migrations.RunPython.noop, elidable=False),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('due', models.DateField(blank=True, null=True, verbose_name='Due')),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['due', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DirectiveStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('what', models.CharField(choices=[('stored', 'draft stored'), ('submitted', 'submitted for signing'), ('seen', 'seen by the signer'), ('commented', 'remark'), ('taken_back', 'withdrawn for correction'), ('returned', 'returned with a reason'), ('approved', 'confirmed by the signer'), ('reopened', 'made a draft again'), ('numbered', 'number and day set'), ('issued', 'sent')], max_length=12)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DirectiveVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('content', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['directive', 'number'],
                'abstract': False,
                'base_manager_name': 'everything',
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='changerequest',
            name='request_state_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='directive',
            name='directive_state_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='directive',
            name='directive_is_approved_first',
        ),
        migrations.RemoveConstraint(
            model_name='directive',
            name='approved_directive_has_a_number',
        ),
        migrations.RemoveConstraint(
            model_name='directive',
            name='directive_is_issued',
        ),
        migrations.RemoveConstraint(
            model_name='directive',
            name='directive_once',
        ),
        migrations.RemoveConstraint(
            model_name='dispatch',
            name='dispatch_state_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='dispatch',
            name='dispatch_is_received_first',
        ),
        migrations.RemoveConstraint(
            model_name='dispatchevent',
            name='happening_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='task',
            name='reported_task_begins',
        ),
        migrations.AddField(
            model_name='directive',
            name='signed_copy',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signed_letters', to='directives.storedfile'),
        ),
        migrations.AddField(
            model_name='directive',
            name='choices',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='directive',
            name='seal',
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='dispatch',
            name='channel',
            field=models.CharField(blank=True, choices=[('account', 'account here'), ('axis', 'exchange file'), ('mail', 'e-mail notice only'), ('paper', 'on paper'), ('nobody', 'nobody')], max_length=8),
        ),
        migrations.AddField(
            model_name='dispatch',
            name='taken_over_from',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='taken_over_by', to='directives.dispatch'),
        ),
        migrations.AddField(
            model_name='dispatchevent',
            name='seal',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='task',
            name='due_time',
            field=models.TimeField(blank=True, null=True, verbose_name='Until (hour)'),
        ),
        migrations.AlterField(
            model_name='changerequest',
            name='state',
            field=models.CharField(choices=[('open', 'waiting for an answer'), ('granted', 'granted'), ('declined', 'declined'), ('withdrawn', 'withdrawn')], default='open', max_length=12),
        ),
        migrations.AlterField(
            model_name='directive',
            name='state',
            field=models.CharField(choices=[('draft', 'draft'), ('submitted', 'submitted for signing'), ('approved', 'approved'), ('issued', 'issued'), ('replaced', 'replaced'), ('revoked', 'revoked')], db_index=True, default='draft', max_length=12),
        ),
        migrations.AlterField(
            model_name='dispatch',
            name='state',
            field=models.CharField(choices=[('arrived', 'arrived, not received'), ('received', 'received'), ('sent_back', 'sent back'), ('assigned', 'assigned'), ('in_progress', 'in progress'), ('reported', 'reported done, to be accepted'), ('done', 'done'), ('handed_over', 'handed over on paper'), ('handed_on', 'passed to the successor'), ('recalled', 'recalled from this agency')], default='arrived', max_length=12),
        ),
        migrations.AlterField(
            model_name='dispatchevent',
            name='what',
            field=models.CharField(choices=[('arrived', 'arrived'), ('opened', 'opened'), ('received', 'received'), ('sent_back', 'sent back'), ('sent_again', 'sent again'), ('assigned', 'assigned'), ('in_progress', 'started'), ('reported', 'reported done'), ('done', 'done'), ('reopened', 'not accepted yet'), ('handed_over', 'handed over on paper'), ('handed_on', 'passed to the successor'), ('recalled', 'recalled from this agency'), ('undone', 'undone within seconds'), ('passed_on', 'passed on to agencies below'), ('replaced', 'replaced by another document'), ('revoked', 'recalled by the issuer'), ('reminded', 'reminded'), ('escalated', 'reported to the agency above'), ('status_read', 'state imported from a file'), ('updated', 'updated by the issuer'), ('agreed', 'agreed to the recall or update'), ('declined', 'did not agree to the recall or update')], max_length=12),
        ),
        migrations.AddConstraint(
            model_name='changerequest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'granted', 'declined', 'withdrawn'])), name='request_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='dispatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['arrived', 'received', 'sent_back', 'assigned', 'in_progress', 'reported', 'done', 'handed_over', 'handed_on', 'recalled'])), name='dispatch_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='dispatch',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('arrived', 'sent_back', 'handed_over', 'handed_on', 'recalled')), ('by_file', True), models.Q(('incoming_number__gt', 0), ('received_at__isnull', False)), _connector='OR'), name='dispatch_is_received_first'),
        ),
        migrations.AddConstraint(
            model_name='dispatchevent',
            constraint=models.CheckConstraint(condition=models.Q(('what__in', ['arrived', 'opened', 'received', 'sent_back', 'sent_again', 'assigned', 'in_progress', 'reported', 'done', 'reopened', 'handed_over', 'handed_on', 'recalled', 'undone', 'passed_on', 'replaced', 'revoked', 'reminded', 'escalated', 'status_read', 'updated', 'agreed', 'declined'])), name='happening_is_known'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('due_time__isnull', True), ('due__isnull', False), _connector='OR'), name='an_hour_is_of_a_day'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='assignment',
            name='dispatch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='directives.dispatch'),
        ),
        migrations.AddField(
            model_name='assignment',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='assignment',
            name='task',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='directives.task'),
        ),
        migrations.AddField(
            model_name='directivestep',
            name='actor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='directivestep',
            name='directive',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='directives.directive'),
        ),
        migrations.AddField(
            model_name='directiveversion',
            name='directive',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='directives.directive'),
        ),
        migrations.AddField(
            model_name='directiveversion',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='directivestep',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='directives.directiveversion'),
        ),
        migrations.AddField(
            model_name='directive',
            name='approved_version',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='+', to='directives.directiveversion'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'submitted', 'approved', 'issued', 'replaced', 'revoked'])), name='directive_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('draft', 'submitted')), ('from_file', True), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='directive_is_approved_first'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('draft', 'submitted', 'approved')), models.Q(models.Q(('number', ''), _negated=True), models.Q(('notation', ''), _negated=True), ('date__isnull', False)), _connector='OR'), name='issued_directive_has_a_number'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('draft', 'submitted', 'approved')), ('issued_at__isnull', False), _connector='OR'), name='directive_is_issued'),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('state__in', ('draft', 'submitted')), _negated=True), models.Q(('number', ''), _negated=True)), fields=('issuer', 'number', 'notation', 'date', 'training'), name='directive_once'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('task__isnull', False)), fields=('dispatch', 'task', 'account'), name='one_task_a_person'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('task__isnull', True)), fields=('dispatch', 'account'), name='whole_document_once_a_person'),
        ),
        migrations.AddConstraint(
            model_name='directiveversion',
            constraint=models.UniqueConstraint(fields=('directive', 'number'), name='version_once'),
        ),
        migrations.AddConstraint(
            model_name='directivestep',
            constraint=models.CheckConstraint(condition=models.Q(('what__in', ['stored', 'submitted', 'seen', 'commented', 'taken_back', 'returned', 'approved', 'reopened', 'numbered', 'issued'])), name='step_is_known'),
        ),
        migrations.RunPython(make_guards, elidable=False),
    ]
