# SPDX-License-Identifier: Apache-2.0
"""What migrations 0001 and 0002 make, each table in one step, so that the store of a new office is ready in seconds."""

import bluezone.training
import django.core.validators
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("drives", "0001_initial"),
        ("drives", "0002_drives_and_queue"),
    ]

    dependencies = [
        ("agencies", "0001_squashed_0003_venues_counted"),
        ("directives", "0001_squashed_0007_practice"),
        ("gates", "0001_squashed_0004_paper_slips"),
    ]

    operations = [
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('name', models.CharField(max_length=80, verbose_name='Name of the team')),
                ('people', models.PositiveSmallIntegerField(default=4, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(200)], verbose_name='Number of helpers')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('ended_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('agency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='teams', to='agencies.agency', verbose_name='Union')),
            ],
            options={
                'ordering': ['agency__name', 'name', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='team_has_a_name'), models.CheckConstraint(condition=models.Q(('people__range', (1, 200))), name='team_is_people'), models.UniqueConstraint(fields=('agency', 'name', 'training'), name='team_name_once_an_agency')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Drive',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('place', models.CharField(max_length=120, verbose_name='Where it is')),
                ('begins', models.DateTimeField(verbose_name='From')),
                ('ends', models.DateTimeField(verbose_name='Until')),
                ('state', models.CharField(choices=[('planned', 'planned'), ('live', 'under way'), ('closed', 'over')], default='planned', max_length=8)),
                ('code', models.CharField(max_length=8, unique=True)),
                ('opened_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drives', to='directives.campaign', verbose_name='Campaign')),
                ('gate', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='drive', to='gates.gate')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drives', to='agencies.adminunit', verbose_name='Ward or commune')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drives', to='drives.team', verbose_name='Team')),
            ],
            options={
                'ordering': ['-begins', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('place', ''), _negated=True), name='drive_has_a_place'), models.CheckConstraint(condition=models.Q(('ends__gt', models.F('begins'))), name='drive_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('opened_at__isnull', True), ('state', 'planned')), models.Q(('closed_at__isnull', True), ('opened_at__isnull', False), ('state', 'live')), models.Q(('closed_at__isnull', False), ('state', 'closed')), _connector='OR'), name='drive_state_has_its_times')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='HelpRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('ticket', models.CharField(max_length=7, unique=True)),
                ('channel', models.CharField(choices=[('portal', 'Public site'), ('app', 'App'), ('gate', 'Gate'), ('phone', 'Telephone'), ('canvass', 'House visit'), ('stall', 'Stall')], max_length=8)),
                ('state', models.CharField(choices=[('open', 'Open'), ('claimed', 'Taken on'), ('done', 'Helped'), ('cannot', 'Could not be helped')], default='open', max_length=8)),
                ('sealed', models.BinaryField()),
                ('contact_digest', models.CharField(blank=True, max_length=64)),
                ('counted', models.BooleanField(default=False)),
                ('repeat_key', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ('opened_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('drive', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='drives.drive')),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='drives.team')),
            ],
            options={
                'ordering': ['opened_at', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'indexes': [models.Index(fields=['state', 'unit'], name='help_by_state_and_unit')],
                'constraints': [models.CheckConstraint(condition=models.Q(('channel__in', ['portal', 'app', 'gate', 'phone', 'canvass', 'stall'])), name='help_channel_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state__in', ['open', 'claimed'])), models.Q(('closed_at__isnull', False), ('state__in', ['done', 'cannot'])), _connector='OR'), name='help_is_closed_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('claimed_at__isnull', False), ('claimed_until__isnull', False), ('state', 'claimed'), ('team__isnull', False)), models.Q(models.Q(('state', 'claimed'), _negated=True), ('claimed_until__isnull', True)), _connector='OR'), name='help_taken_on_has_a_team'), models.UniqueConstraint(condition=models.Q(('counted', True), models.Q(('contact_digest', ''), _negated=True)), fields=('contact_digest', 'training'), name='a_number_is_counted_once')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='HelpOutcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('day', models.DateField(db_index=True)),
                ('result', models.CharField(choices=[('running', 'Bluezone runs'), ('other', 'helped otherwise'), ('cannot', 'could not be helped')], max_length=8)),
                ('proof', models.CharField(choices=[('proven', 'proven'), ('attested', 'attested'), ('none', 'none')], default='none', max_length=8)),
                ('hindrance', models.CharField(blank=True, choices=[('not_reached', 'not reached, tried several times'), ('no_smartphone', 'no smartphone'), ('too_old', 'the phone is too old'), ('no_bluetooth', 'Bluetooth does not work'), ('declined', 'no longer wants it'), ('elsewhere', 'lives elsewhere')], max_length=16)),
                ('proof_number', models.PositiveIntegerField(null=True)),
                ('closed_at', models.DateTimeField()),
                ('drive', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='outcomes', to='drives.drive')),
                ('proof_gate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gates.gate')),
                ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit')),
                ('request', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='outcome', to='drives.helprequest')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outcomes', to='drives.team')),
            ],
            options={
                'ordering': ['-closed_at', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('proof_gate', 'proof_number'), name='a_proof_stands_for_one_help'), models.CheckConstraint(condition=models.Q(models.Q(('proof', 'proven'), ('proof_gate__isnull', False), ('proof_number__gte', 1)), models.Q(models.Q(('proof', 'proven'), _negated=True), ('proof_gate__isnull', True), ('proof_number__isnull', True)), _connector='OR'), name='proven_help_has_its_proof'), models.CheckConstraint(condition=models.Q(models.Q(('result', 'running'), models.Q(('proof', 'none'), _negated=True)), models.Q(models.Q(('result', 'running'), _negated=True), ('proof', 'none')), _connector='OR'), name='running_help_is_proven_or_attested'), models.CheckConstraint(condition=models.Q(models.Q(('result', 'cannot'), models.Q(('hindrance', ''), _negated=True)), models.Q(models.Q(('result', 'cannot'), _negated=True), ('hindrance', '')), _connector='OR'), name='no_help_has_its_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DriveTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('sheet', models.PositiveSmallIntegerField(default=1, verbose_name='Number of the sheet')),
                ('running', models.PositiveSmallIntegerField(default=0, verbose_name='Seen running')),
                ('other_help', models.PositiveSmallIntegerField(default=0, verbose_name='Helped otherwise')),
                ('no_smartphone', models.PositiveSmallIntegerField(default=0, verbose_name='No smartphone')),
                ('could_not', models.PositiveSmallIntegerField(default=0, verbose_name='Could not')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('drive', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='drives.drive')),
            ],
            options={
                'ordering': ['drive', 'sheet'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('drive', 'sheet'), name='tally_sheet_once_a_drive')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
    ]
