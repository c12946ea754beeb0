# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 to 0007 make, each table in one step, so that the store of a new office is ready in seconds."""

import bluezone.training
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

MESSAGE = "the log of a dispatch is append-only"
TABLE = "directives_dispatchevent"

SQLITE = [
    f"""CREATE TRIGGER dispatch_log_never_changes BEFORE UPDATE ON {TABLE}
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER dispatch_log_is_kept BEFORE DELETE ON {TABLE} WHEN NOT OLD.training
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
POSTGRESQL = [
    f"""CREATE FUNCTION dispatch_log_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.training THEN RETURN OLD; END IF;
            RAISE EXCEPTION '{MESSAGE}';
        END $$""",
    f"""CREATE TRIGGER dispatch_log_guard BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION dispatch_log_guard()""",
]


def make_guards(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("directives", "0001_initial"),
        ("directives", "0002_events_append_only"),
        ("directives", "0003_exchange"),
        ("directives", "0004_events_append_only_again"),
        ("directives", "0005_drafts_end_earlier_documents"),
        ("directives", "0006_campaigns_and_reopening"),
        ("directives", "0007_practice"),
    ]

    dependencies = [
        ("accounts", "__first__"),
        ("agencies", "0001_squashed_0003_venues_counted"),
    ]

    operations = [
        migrations.CreateModel(
            name='StoredFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('token', models.CharField(editable=False, max_length=43, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('content_type', models.CharField(max_length=80)),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('signatures', models.JSONField(blank=True, default=list)),
                ('stored_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'everything',
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ExchangeImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=200)),
                ('content', models.BinaryField()),
                ('made_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exchange_imports', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='PartnerCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('use', models.CharField(choices=[('exchange', 'exchange files of another office'), ('documents', 'signatures on documents only')], default='exchange', max_length=12, verbose_name='Used for')),
                ('pem', models.TextField()),
                ('fingerprint', models.CharField(max_length=64)),
                ('subject', models.CharField(max_length=300)),
                ('valid_from', models.DateTimeField()),
                ('valid_to', models.DateTimeField()),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='agencies.agency', verbose_name='Agency')),
                ('removed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['agency__name', '-added_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('removed_at', None)), fields=('agency', 'fingerprint', 'use'), name='certificate_held_once'), models.CheckConstraint(condition=models.Q(('use__in', ['exchange', 'documents'])), name='certificate_use_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('removed_at', None), ('removed_by', None)), models.Q(('removed_at__isnull', False), ('removed_by__isnull', False)), _connector='OR'), name='certificate_is_removed_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('name', models.CharField(max_length=200, verbose_name='Campaign')),
                ('basis', models.CharField(blank=True, max_length=300, verbose_name='Basis document')),
                ('aim', models.TextField(blank=True, max_length=2000, verbose_name='Goal')),
                ('begins', models.DateField(blank=True, null=True, verbose_name='First day')),
                ('ends', models.DateField(blank=True, null=True, verbose_name='Last day')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='agencies.agency', verbose_name='Called by')),
            ],
            options={
                'ordering': ['name'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='campaign_is_named'), models.UniqueConstraint(fields=('name', 'training'), name='campaign_name_once'), models.CheckConstraint(condition=models.Q(('begins__isnull', True), ('ends__isnull', True), ('ends__gte', models.F('begins')), _connector='OR'), name='campaign_ends_after_it_begins')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Directive',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('kind', models.CharField(choices=[('official_letter', 'Official letter'), ('decision', 'Decision'), ('plan', 'Plan'), ('instruction', 'Instruction'), ('notice', 'Notice'), ('report', 'Report'), ('telegram', 'Telegram'), ('guidance', 'Guidance'), ('submission', 'Submission'), ('resolution', 'Resolution'), ('decree', 'Decree'), ('circular', 'Circular'), ('law', 'Law'), ('programme', 'Programme'), ('invitation', 'Invitation'), ('other', 'Other')], default='official_letter', max_length=16, verbose_name='Kind of document')),
                ('number', models.CharField(blank=True, max_length=12, verbose_name='Number of the document')),
                ('notation', models.CharField(blank=True, max_length=40, verbose_name='Notation')),
                ('date', models.DateField(blank=True, null=True, verbose_name='Date of the document')),
                ('subject', models.CharField(max_length=500, verbose_name='Subject')),
                ('signer_name', models.CharField(blank=True, max_length=80, verbose_name='Signer')),
                ('signer_position', models.CharField(blank=True, max_length=120, verbose_name='Position of the signer')),
                ('authority', models.TextField(blank=True, max_length=300, verbose_name='Signing authority')),
                ('basis', models.TextField(blank=True, max_length=2000, verbose_name='Basis documents')),
                ('priority', models.CharField(choices=[('normal', 'Normal'), ('urgent', 'Urgent'), ('express', 'Express')], default='normal', max_length=8, verbose_name='Urgency')),
                ('text', models.TextField(blank=True)),
                ('proposal', models.JSONField(default=dict, editable=False)),
                ('from_file', models.BooleanField(default=False, editable=False)),
                ('ending', models.CharField(choices=[('replaced', 'this document replaces it'), ('revoked', 'this document revokes it')], default='replaced', max_length=8)),
                ('folded', models.TextField(default='', editable=False)),
                ('recipients_action', models.TextField(blank=True, max_length=8000, verbose_name='For action')),
                ('recipients_information', models.TextField(blank=True, max_length=8000, verbose_name='For information')),
                ('recipients_file', models.TextField(blank=True, max_length=1000, verbose_name='For file')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('approved', 'approved'), ('issued', 'issued'), ('replaced', 'replaced'), ('revoked', 'revoked')], db_index=True, default='draft', max_length=8)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('approved_at', models.DateTimeField(null=True)),
                ('issued_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('revoke_reason', models.CharField(blank=True, max_length=300)),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='directives', to='directives.campaign', verbose_name='Campaign')),
                ('issuer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='directives', to='agencies.agency', verbose_name='Issuer')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replaces', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='directives.directive')),
                ('attachments', models.ManyToManyField(blank=True, related_name='directives', to='directives.storedfile')),
                ('original', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directives.storedfile')),
            ],
            options={
                'ordering': ['-made_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'approved', 'issued', 'replaced', 'revoked'])), name='directive_state_is_known'), models.CheckConstraint(condition=models.Q(('subject', ''), _negated=True), name='directive_has_a_subject'), models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(('date__isnull', False), ('from_file', True)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), ('date__isnull', False)), _connector='OR'), name='directive_is_approved_first'), models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(models.Q(('number', ''), _negated=True), models.Q(('notation', ''), _negated=True)), _connector='OR'), name='approved_directive_has_a_number'), models.CheckConstraint(condition=models.Q(('state__in', ('draft', 'approved')), ('issued_at__isnull', False), _connector='OR'), name='directive_is_issued'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'revoked'), _negated=True), models.Q(('revoked_at__isnull', False), models.Q(('revoke_reason', ''), _negated=True)), _connector='OR'), name='directive_is_revoked_for_a_reason'), models.UniqueConstraint(condition=models.Q(('state', 'draft'), _negated=True), fields=('issuer', 'number', 'notation', 'date', 'training'), name='directive_once'), models.CheckConstraint(condition=models.Q(('replaces', models.F('id')), _negated=True), name='directive_replaces_another'), models.CheckConstraint(condition=models.Q(('ending__in', ['replaced', 'revoked'])), name='directive_ending_is_known')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Dispatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('purpose', models.CharField(choices=[('action', 'for action'), ('information', 'for information'), ('file', 'for file')], max_length=12)),
                ('state', models.CharField(choices=[('arrived', 'arrived, not received'), ('received', 'received'), ('sent_back', 'sent back'), ('assigned', 'assigned'), ('in_progress', 'in progress'), ('done', 'done')], default='arrived', max_length=12)),
                ('arrived_at', models.DateTimeField()),
                ('opened_at', models.DateTimeField(null=True)),
                ('received_at', models.DateTimeField(null=True)),
                ('incoming_year', models.PositiveSmallIntegerField(null=True)),
                ('incoming_number', models.PositiveIntegerField(null=True)),
                ('assigned_to', models.CharField(blank=True, max_length=120, verbose_name='Assigned to')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='Reason')),
                ('by_file', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField()),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dispatches', to='agencies.agency')),
                ('directive', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dispatches', to='directives.directive')),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='directives.dispatch')),
            ],
            options={
                'ordering': ['-arrived_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'indexes': [models.Index(fields=['agency', '-arrived_at'], name='dispatch_inbox')],
                'constraints': [models.UniqueConstraint(fields=('directive', 'agency'), name='dispatch_once_an_agency'), models.UniqueConstraint(fields=('agency', 'incoming_year', 'incoming_number', 'training'), name='incoming_number_once_a_year'), models.CheckConstraint(condition=models.Q(('state__in', ['arrived', 'received', 'sent_back', 'assigned', 'in_progress', 'done'])), name='dispatch_state_is_known'), models.CheckConstraint(condition=models.Q(('purpose__in', ['action', 'information', 'file'])), name='dispatch_purpose_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sent_back'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='sent_back_for_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'assigned'), _negated=True), models.Q(('assigned_to', ''), _negated=True), _connector='OR'), name='assigned_to_somebody'), models.CheckConstraint(condition=models.Q(('state__in', ('arrived', 'sent_back')), ('by_file', True), models.Q(('incoming_number__gt', 0), ('received_at__isnull', False)), _connector='OR'), name='dispatch_is_received_first'), models.CheckConstraint(condition=models.Q(('parent', models.F('id')), _negated=True), name='dispatch_is_not_its_own_parent')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DispatchEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('what', models.CharField(choices=[('arrived', 'arrived'), ('opened', 'opened'), ('received', 'received'), ('sent_back', 'sent back'), ('sent_again', 'sent again'), ('assigned', 'assigned'), ('in_progress', 'started'), ('done', 'reported done'), ('undone', 'undone within seconds'), ('passed_on', 'passed on to agencies below'), ('replaced', 'replaced by another document'), ('revoked', 'recalled by the issuer'), ('reminded', 'reminded'), ('escalated', 'reported to the agency above'), ('status_read', 'state imported from a file'), ('updated', 'updated by the issuer'), ('agreed', 'agreed to the recall or update'), ('declined', 'did not agree to the recall or update')], max_length=12)),
                ('at', models.DateTimeField()),
                ('before', models.CharField(blank=True, max_length=12)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('dispatch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='directives.dispatch')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('what__in', ['arrived', 'opened', 'received', 'sent_back', 'sent_again', 'assigned', 'in_progress', 'done', 'undone', 'passed_on', 'replaced', 'revoked', 'reminded', 'escalated', 'status_read', 'updated', 'agreed', 'declined'])), name='happening_is_known')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ExchangedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('direction', models.CharField(choices=[('in', 'imported'), ('out', 'written')], max_length=3)),
                ('kind', models.CharField(choices=[('edoc', 'document'), ('revocation', 'recall'), ('update', 'update'), ('replacement', 'replacement'), ('status', 'state')], max_length=12)),
                ('status', models.CharField(blank=True, max_length=2)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('sha256', models.CharField(max_length=64)),
                ('document_id', models.CharField(max_length=160)),
                ('said_at', models.DateTimeField(null=True)),
                ('content', models.BinaryField(null=True)),
                ('at', models.DateTimeField()),
                ('directive', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exchanged_files', to='directives.directive')),
                ('dispatch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='exchanged_files', to='directives.dispatch')),
                ('event', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='status_file', to='directives.dispatchevent')),
                ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='exchanged_files', to='agencies.agency')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['dispatch', 'kind', '-said_at'], name='exchange_newest_state')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('direction', 'in')), fields=('digest',), name='file_is_read_in_once'), models.CheckConstraint(condition=models.Q(('direction', 'out'), models.Q(('digest', ''), _negated=True), _connector='OR'), name='file_read_in_has_a_digest'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'status'), _negated=True), models.Q(models.Q(('status', ''), _negated=True), ('said_at__isnull', False)), _connector='OR'), name='status_says_which')],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('position', models.PositiveSmallIntegerField()),
                ('label', models.CharField(max_length=20)),
                ('text', models.TextField(max_length=8000, verbose_name='Task')),
                ('lead_names', models.TextField(blank=True, max_length=4000, verbose_name='Lead')),
                ('cooperating_names', models.TextField(blank=True, max_length=4000, verbose_name='Cooperating')),
                ('due', models.DateField(blank=True, null=True, verbose_name='Due')),
                ('report_every', models.CharField(blank=True, choices=[('', 'no report'), ('once', 'once, when due'), ('week', 'each week'), ('month', 'each month')], default='', max_length=8, verbose_name='Report')),
                ('report_from', models.DateField(blank=True, null=True, verbose_name='First day of the first period')),
                ('days_to_report', models.PositiveSmallIntegerField(default=1, verbose_name='Days to report after a period')),
                ('days_to_lock', models.PositiveSmallIntegerField(default=7, verbose_name='Days until a period is locked')),
                ('fields', models.JSONField(blank=True, default=list)),
                ('directive', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='directives.directive')),
            ],
            options={
                'ordering': ['directive', 'position'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('directive', 'position'), name='task_position_once'), models.CheckConstraint(condition=models.Q(('report_every__in', ['', 'once', 'week', 'month'])), name='task_period_known'), models.CheckConstraint(condition=models.Q(('report_every', ''), ('report_from__isnull', False), _connector='OR'), name='reported_task_begins'), models.CheckConstraint(condition=models.Q(('days_to_lock__gte', models.F('days_to_report'))), name='task_locks_after_it_is_due')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('period', models.DateField()),
                ('values', models.JSONField(default=dict)),
                ('text', models.TextField(blank=True, max_length=4000, verbose_name='What was done')),
                ('state', models.CharField(choices=[('submitted', 'awaiting approval'), ('returned', 'returned'), ('accepted', 'accepted')], default='submitted', max_length=12)),
                ('on_time', models.BooleanField()),
                ('return_reason', models.CharField(blank=True, max_length=300, verbose_name='Reason')),
                ('submitted_at', models.DateTimeField()),
                ('checked_at', models.DateTimeField(null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='agencies.agency')),
                ('checked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('evidence', models.ManyToManyField(blank=True, related_name='reports', to='directives.storedfile')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='directives.task')),
            ],
            options={
                'ordering': ['-period', '-submitted_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'indexes': [models.Index(fields=['task', 'period', 'state'], name='report_rates')],
                'constraints': [models.UniqueConstraint(fields=('agency', 'task', 'period'), name='one_report_a_period'), models.CheckConstraint(condition=models.Q(('state__in', ['submitted', 'returned', 'accepted'])), name='report_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'returned'), _negated=True), models.Q(('return_reason', ''), _negated=True), _connector='OR'), name='report_is_returned_for_a_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='PeriodRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('period', models.DateField()),
                ('reason', models.CharField(max_length=300, verbose_name='Reason')),
                ('state', models.CharField(choices=[('open', 'waiting for an answer'), ('granted', 'granted'), ('declined', 'declined')], default='open', max_length=12)),
                ('until', models.DateField(blank=True, null=True, verbose_name='Open until')),
                ('answer', models.CharField(blank=True, max_length=300, verbose_name='Answer')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='period_requests', to='agencies.agency')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='period_requests', to='directives.task')),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'indexes': [models.Index(fields=['agency', 'task', 'period'], name='period_requests')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='period_request_has_a_reason'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'granted', 'declined'])), name='period_request_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'granted'), _negated=True), ('until__isnull', False), _connector='OR'), name='reopened_period_has_a_last_day'), models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('task', 'agency', 'period'), name='one_open_request_a_period')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ChangeRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('kind', models.CharField(choices=[('change', 'a change'), ('extension', 'more time')], default='extension', max_length=12, verbose_name='Request')),
                ('until', models.DateField(blank=True, null=True, verbose_name='Time until')),
                ('reason', models.TextField(max_length=1000, verbose_name='Reason')),
                ('state', models.CharField(choices=[('open', 'waiting for an answer'), ('granted', 'granted'), ('declined', 'declined')], default='open', max_length=12)),
                ('answer', models.CharField(blank=True, max_length=300, verbose_name='Answer')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='change_requests', to='agencies.agency')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='directives.task')),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind', 'extension'), _negated=True), ('until__isnull', False), _connector='OR'), name='extension_has_a_day'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='request_has_a_reason'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'granted', 'declined'])), name='request_state_is_known'), models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('task', 'agency', 'kind'), name='one_open_request_a_kind')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='TaskParty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('role', models.CharField(choices=[('lead', 'lead'), ('cooperating', 'cooperating')], default='lead', max_length=12)),
                ('due', models.DateField(null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='task_parties', to='agencies.agency')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parties', to='directives.task')),
            ],
            options={
                'ordering': ['task', '-role', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('task', 'agency'), name='agency_once_a_task'), models.CheckConstraint(condition=models.Q(('role__in', ['lead', 'cooperating'])), name='task_role_is_known')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='campaign',
            name='rests_on',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='founded_campaigns', to='directives.directive', verbose_name='Basis document in the register'),
        ),
        migrations.RunPython(make_guards, elidable=False),
    ]
