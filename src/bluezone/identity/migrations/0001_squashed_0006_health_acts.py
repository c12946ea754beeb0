# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 to 0006 make, each table in one step, so that the store of a new office is ready in seconds."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

MESSAGE = "the audit is append-only"

SQLITE = [
    f"""CREATE TRIGGER audit_never_changes BEFORE UPDATE ON accounts_auditentry
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER audit_is_kept BEFORE DELETE ON accounts_auditentry
        WHEN julianday(OLD.at) > julianday('now', '-365 days')
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
    f"""CREATE TRIGGER audit_follows BEFORE INSERT ON accounts_auditentry
        WHEN NEW.number <= (SELECT COALESCE(MAX(number), 0) FROM accounts_auditentry)
        BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END""",
]
POSTGRESQL = [
    f"""CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND OLD.at <= now() - interval '365 days' THEN RETURN OLD; END IF;
            RAISE EXCEPTION '{MESSAGE}';
        END $$""",
    """CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE ON accounts_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_guard()""",
    """CREATE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON accounts_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_guard()""",
]


def make_guards(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("accounts", "0001_initial"),
        ("accounts", "0002_audit_append_only"),
        ("accounts", "0003_directory_acts"),
        ("accounts", "0004_device_acts"),
        ("accounts", "0005_staff_acts"),
        ("accounts", "0006_health_acts"),
    ]

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.CharField(error_messages={'unique': 'There is already an account with this sign-in name.'}, max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9._-]{2,39}\\Z', '3 to 40 characters: small letters a-z, digits, dot, dash, underscore.')], verbose_name='Sign-in name')),
                ('name', models.CharField(max_length=80, verbose_name='Full name')),
                ('agency', models.CharField(blank=True, max_length=120, verbose_name='Agency')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='E-mail')),
                ('is_active', models.BooleanField(default=True, verbose_name='May sign in')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'ordering': ['name', 'username'],
            },
        ),
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('number', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=40)),
                ('action', models.CharField(choices=[('account_made', 'created an account'), ('account_changed', 'changed an account'), ('link_made', 'created a one-time link'), ('role_given', 'gave a role'), ('role_ended', 'ended a role'), ('role_delegated', 'delegated a role'), ('factor_added', 'set up a second factor'), ('factor_removed', 'removed a second factor'), ('recovery_codes_made', 'created recovery codes'), ('recovery_code_used', 'used a recovery code'), ('sessions_ended', 'ended sessions'), ('password_set', 'set a password'), ('email_changed', 'changed their own e-mail address'), ('code_issued', 'issued a code'), ('code_revoked', 'revoked a code'), ('quota_refused', 'was refused a code over the quota'), ('entry_made', 'entered a unit or agency'), ('entry_changed', 'changed a unit or agency'), ('figure_recorded', 'recorded a figure'), ('recipients_changed', 'changed a recipient group'), ('list_imported', 'imported a list'), ('device_made', 'entered a device'), ('device_code_made', 'created a code for a device'), ('device_enrolled', 'connected a device'), ('device_revoked', 'disconnected a device'), ('gate_opened', 'opened a gate'), ('gate_closed', 'closed a gate'), ('gate_device_put', 'assigned a tablet to a gate'), ('gatekeeper_named', 'nominated a gatekeeper or printed a badge'), ('gatekeeper_ended', 'ended a gatekeeper’s nomination'), ('gate_slip_entered', 'entered or corrected a paper slip of a gate'), ('gate_slip_removed', 'removed a paper slip of a gate'), ('staff_reported', 'reported the staff of an agency'), ('week_reopened', 'reopened a week for an agency'), ('period_reopened', 'reopened a report period for an agency'), ('quota_raised', 'raised the limit of codes for a day'), ('declaration_key_made', 'created the key for declarations'), ('declaration_key_sealed', 'changed the passphrase for declarations'), ('declaration_opened', 'opened a declaration'), ('declaration_refused', 'entered a wrong passphrase for declarations'), ('venue_alerted', 'warned the guests of a venue'), ('audit_exported', 'took a copy of the audit'), ('news_written', 'wrote a news text'), ('news_published', 'published news'), ('news_corrected', 'corrected news'), ('news_withdrawn', 'withdrew news'), ('directive_approved', 'approved a directive'), ('directive_reopened', 'turned an approved directive back into a draft'), ('directive_issued', 'issued a directive'), ('directive_replaced', 'replaced a directive'), ('directive_revoked', 'recalled a directive'), ('document_sent_back', 'sent a document back'), ('report_returned', 'returned a report'), ('report_locked', 'accepted a report, which locks it'), ('edxml_exported', 'created an exchange file'), ('edxml_imported', 'imported an exchange file'), ('certificate_pinned', 'entered a certificate of another office'), ('certificate_removed', 'removed a certificate of another office'), ('team_made', 'entered a team for drives'), ('drive_planned', 'planned a drive'), ('drive_opened', 'opened a drive'), ('drive_closed', 'closed a drive'), ('drive_tallied', 'entered the tally sheet of a drive'), ('help_claimed', 'took on a request for help'), ('help_released', 'gave a request for help back'), ('help_closed', 'closed a request for help'), ('venue_entered', 'registered a venue in person'), ('venue_changed', 'changed what is stored of a venue'), ('venue_approved', 'approved a venue and had its code signed'), ('venue_refused', 'refused a venue'), ('venue_renewed', 'renewed the code of a venue'), ('venue_suspended', 'withdrew the code of a venue'), ('venue_inspected', 'inspected a venue'), ('bulletin_written', 'wrote a bulletin text or added a recording'), ('bulletin_approved', 'approved a bulletin text after listening'), ('bulletin_withdrawn', 'withdrew a bulletin'), ('airing_scheduled', 'scheduled a bulletin'), ('airing_changed', 'changed or stopped the schedule of a bulletin'), ('emergency_aired', 'had an emergency bulletin aired at once'), ('airing_attested', 'recorded that a bulletin was aired'), ('outlet_entered', 'entered a station, paper or group of loudspeakers'), ('outlet_changed', 'changed a station, paper or group of loudspeakers'), ('households_imported', 'imported a list of households'), ('household_changed', 'changed what is stored of a household'), ('households_merged', 'merged two households, or kept them separate'), ('turf_cut', 'created a list of doors'), ('turf_closed', 'closed a list of doors'), ('turf_leased', 'gave a list of doors to a phone'), ('lease_ended', 'withdrew a list of doors from a phone'), ('phone_lost', 'reported a phone for house visits lost'), ('conflict_decided', 'decided between two values of a household'), ('gap_forced', 'accepted a change of a household although an earlier one is missing'), ('entry_decided', 'decided on an entry from a phone that was set aside'), ('sheet_entered', 'entered a sheet of house visits'), ('leaflets_moved', 'booked leaflets'), ('school_classes_set', 'changed the classes of a school'), ('class_links_made', 'created links for classes'), ('classes_reported', 'reported the numbers of classes'), ('classes_returned', 'sent the numbers of classes back'), ('school_break_set', 'set weeks without school'), ('visitor_told', 'had the notice sent to a visitor'), ('visitors_listed', 'had the notice sent to a list of visitors'), ('alert_published', 'published an alert for phones'), ('alert_cancelled', 'cancelled an alert for phones')], max_length=40)),
                ('subject', models.CharField(max_length=64)),
                ('details', models.JSONField(default=dict)),
                ('previous', models.CharField(max_length=64, unique=True)),
                ('digest', models.CharField(max_length=64, unique=True)),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='RoleGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('issuer', 'Signatory'), ('clerk', 'Clerk'), ('lead', 'Head of the agency'), ('officer', 'Officer in charge'), ('gatekeeper', 'Gatekeeper'), ('canvasser', 'Canvasser'), ('drive_lead', 'Leader of drives'), ('teacher', 'Teacher'), ('venue_owner', 'Venue owner'), ('speaker_operator', 'Loudspeaker operator'), ('editor', 'Editor'), ('health_worker', 'Health worker'), ('supervisor', 'Health supervisor'), ('auditor', 'Auditor'), ('leader', 'Leader, reading only'), ('admin', 'Administrator')], max_length=16, verbose_name='Role')),
                ('valid_from', models.DateField(default=django.utils.timezone.localdate, verbose_name='From')),
                ('valid_to', models.DateField(blank=True, null=True, verbose_name='Previous end date')),
            ],
            options={
                'ordering': ['role', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='SignInFailure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(db_index=True, max_length=64)),
                ('address', models.CharField(db_index=True, max_length=64)),
                ('at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='AccountLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('expires_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AuthenticatorApp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed_secret', models.BinaryField()),
                ('last_step', models.BigIntegerField(default=0)),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='authenticator_app', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='OfficeSession',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                ('browser', models.CharField(blank=True, max_length=40)),
                ('begun_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-begun_at'],
            },
        ),
        migrations.CreateModel(
            name='Passkey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('credential_id', models.BinaryField(max_length=1023, unique=True)),
                ('public_key', models.BinaryField()),
                ('sign_count', models.BigIntegerField(default=0)),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='passkeys', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['added_at'],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='recovery_codes', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(make_guards, elidable=False),
    ]
