import bluezone.training
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("agencies", "0001_squashed_0003_venues_counted"),
        ("devices", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DoorsImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('file_name', models.CharField(max_length=200)),
                ('content', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('conversion', models.CharField(blank=True, max_length=16)),
                ('made_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='agencies.adminunit')),
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
            name='Household',
            fields=[
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('key', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('group', models.CharField(blank=True, max_length=60, verbose_name='Residential group')),
                ('group_folded', models.CharField(blank=True, editable=False, max_length=60)),
                ('head', models.CharField(blank=True, max_length=80, verbose_name='Householder')),
                ('address', models.CharField(blank=True, max_length=160, verbose_name='Address')),
                ('smartphones', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='Smartphones')),
                ('note', models.CharField(blank=True, max_length=120, verbose_name='Directions')),
                ('folded', models.TextField(editable=False)),
                ('versions', models.JSONField(default=dict, editable=False)),
                ('disputed', models.JSONField(default=list, editable=False)),
                ('is_disputed', models.BooleanField(default=False, editable=False)),
                ('incomplete', models.JSONField(default=list, editable=False)),
                ('is_incomplete', models.BooleanField(default=False, editable=False)),
                ('last_at', models.DateTimeField(editable=False, null=True)),
                ('last_visit', models.UUIDField(editable=False, null=True)),
                ('last_outcome', models.CharField(blank=True, choices=[('installed', 'just installed'), ('running', 'already running'), ('leaflet', 'leaflet left'), ('not_home', 'not at home'), ('refused', 'declined'), ('no_smartphone', 'no smartphone'), ('moved', 'moved away'), ('locked', 'door locked'), ('skipped', 'skipped')], editable=False, max_length=16)),
                ('revisit', models.CharField(blank=True, choices=[('after_17', 'come back after 17:00'), ('other_day', 'come back another day')], editable=False, max_length=12)),
                ('reached_at', models.DateTimeField(editable=False, null=True)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('touched_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('merged_into', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='merged', to='canvass.household')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit', verbose_name='Ward or commune')),
            ],
            options={
                'ordering': ['unit_id', 'group_folded', 'address', 'key'],
                'abstract': False,
                'base_manager_name': 'everything',
                'indexes': [models.Index(fields=['unit', 'group_folded', 'address'], name='household_by_group'), models.Index(condition=models.Q(('is_disputed', True)), fields=['is_disputed'], name='household_disputed'), models.Index(condition=models.Q(('is_incomplete', True)), fields=['is_incomplete'], name='household_incomplete')],
                'constraints': [models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), models.Q(('merged_into', models.F('key')), _negated=True), _connector='OR'), name='household_is_not_merged_into_itself')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DuplicatePair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('score', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('open', 'waits'), ('merged', 'one household'), ('apart', 'two households')], default='open', max_length=8)),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='canvass.household')),
                ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='canvass.household')),
            ],
            options={
                'ordering': ['-score', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='pair_once'), models.CheckConstraint(condition=models.Q(('first', models.F('second')), _negated=True), name='pair_of_two')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry', models.UUIDField(db_index=True)),
                ('field', models.CharField(max_length=12)),
                ('value', models.CharField(blank=True, max_length=160)),
                ('clock', models.CharField(max_length=40)),
                ('bases', models.JSONField(default=list)),
                ('by', models.CharField(blank=True, max_length=150)),
                ('at', models.DateTimeField()),
                ('forced', models.BooleanField(default=False)),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.device')),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='canvass.household')),
            ],
            options={
                'ordering': ['clock', 'entry'],
                'constraints': [models.UniqueConstraint(fields=('household', 'field', 'entry'), name='change_once')],
            },
        ),
        migrations.CreateModel(
            name='LeafletMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('lot', models.CharField(max_length=20, verbose_name='Leaflet lot')),
                ('kind', models.CharField(choices=[('printed', 'printed'), ('ward', 'to the ward'), ('group', 'to the residential group')], max_length=8, verbose_name='Step')),
                ('group', models.CharField(blank=True, max_length=60, verbose_name='Residential group')),
                ('count', models.IntegerField(verbose_name='Leaflets')),
                ('by', models.CharField(editable=False, max_length=150)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit', verbose_name='Ward or commune')),
            ],
            options={
                'ordering': ['-made_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('lot', ''), _negated=True), models.Q(('count', 0), _negated=True)), name='leaflets_of_a_lot'), models.CheckConstraint(condition=models.Q(models.Q(('group', ''), ('kind', 'printed'), ('unit__isnull', True)), models.Q(('group', ''), ('kind', 'ward'), ('unit__isnull', False)), models.Q(('kind', 'group'), ('unit__isnull', False), models.Q(('group', ''), _negated=True)), _connector='OR'), name='leaflets_go_somewhere')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='PhoneRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.CharField(max_length=8)),
                ('last_number', models.PositiveIntegerField(default=0)),
                ('waiting', models.PositiveIntegerField(default=0)),
                ('photos', models.PositiveIntegerField(default=0)),
                ('form', models.PositiveSmallIntegerField(default=0)),
                ('synced_at', models.DateTimeField()),
                ('lost_at', models.DateTimeField(null=True)),
                ('emptied_at', models.DateTimeField(null=True)),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='devices.device')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('device', 'run'), name='run_once_a_device')],
            },
        ),
        migrations.CreateModel(
            name='Turf',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('name', models.CharField(max_length=80, verbose_name='Name of the list')),
                ('group', models.CharField(blank=True, max_length=60, verbose_name='Residential group')),
                ('made_by', models.CharField(editable=False, max_length=150)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('closed_at', models.DateTimeField(editable=False, null=True)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit', verbose_name='Ward or commune')),
            ],
            options={
                'ordering': ['unit_id', 'name', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='turf_has_a_name')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('until', models.DateTimeField()),
                ('made_by', models.CharField(editable=False, max_length=150)),
                ('ended_at', models.DateTimeField(editable=False, null=True)),
                ('ended_why', models.CharField(blank=True, choices=[('done', 'finished'), ('given', 'given to another phone'), ('lost', 'phone lost'), ('expired', 'time ended')], editable=False, max_length=8)),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='leases', to='devices.device')),
                ('turf', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leases', to='canvass.turf')),
            ],
            options={
                'ordering': ['-since', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('turf',), name='turf_leased_once'), models.CheckConstraint(condition=models.Q(('until__gt', models.F('since'))), name='lease_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_why', '')), models.Q(('ended_at__isnull', False), models.Q(('ended_why', ''), _negated=True)), _connector='OR'), name='lease_ends_for_a_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Visit',
            fields=[
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('key', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('door', models.UUIDField()),
                ('at', models.DateTimeField(db_index=True)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('outcome', models.CharField(choices=[('installed', 'just installed'), ('running', 'already running'), ('leaflet', 'leaflet left'), ('not_home', 'not at home'), ('refused', 'declined'), ('no_smartphone', 'no smartphone'), ('moved', 'moved away'), ('locked', 'door locked'), ('skipped', 'skipped')], max_length=16, verbose_name='Outcome')),
                ('skip_reason', models.CharField(blank=True, choices=[('not_found', 'address not found'), ('dog', 'dog'), ('no_way', 'no way through'), ('isolated', 'household under isolation'), ('unsafe', 'not safe'), ('other', 'another reason')], max_length=12, verbose_name='Why it was skipped')),
                ('phones', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='Smartphones')),
                ('seen', models.PositiveSmallIntegerField(default=0, verbose_name='Seen running')),
                ('told', models.PositiveSmallIntegerField(default=0, verbose_name='Running, as they say')),
                ('helped', models.PositiveSmallIntegerField(default=0, verbose_name='Installed with help')),
                ('leaflet_lot', models.CharField(blank=True, max_length=20, verbose_name='Leaflet lot')),
                ('leaflets', models.PositiveSmallIntegerField(default=0, verbose_name='Leaflets left')),
                ('revisit', models.CharField(blank=True, choices=[('after_17', 'come back after 17:00'), ('other_day', 'come back another day')], max_length=12, verbose_name='Come back')),
                ('ticket', models.CharField(blank=True, max_length=7)),
                ('after_lease', models.BooleanField(default=False)),
                ('entered_by', models.CharField(blank=True, max_length=150)),
                ('device', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.device')),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='visits', to='canvass.household')),
                ('lease', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='visits', to='canvass.lease')),
            ],
            options={
                'ordering': ['-at', 'key'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('outcome__in', ['installed', 'running', 'leaflet', 'not_home', 'refused', 'no_smartphone', 'moved', 'locked', 'skipped'])), name='visit_outcome_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'skipped'), models.Q(('skip_reason', ''), _negated=True)), models.Q(models.Q(('outcome', 'skipped'), _negated=True), ('skip_reason', '')), _connector='OR'), name='visit_passed_by_for_a_reason'), models.CheckConstraint(condition=models.Q(('device__isnull', False), models.Q(('entered_by', ''), _negated=True), _connector='OR'), name='visit_comes_from_somewhere')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='LeaseDoor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_open', models.BooleanField(default=True)),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leased', to='canvass.household')),
                ('lease', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='doors', to='canvass.lease')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('lease', 'household'), name='door_once_a_lease'), models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('household',), name='door_in_one_open_lease')],
            },
        ),
        migrations.CreateModel(
            name='Photo',
            fields=[
                ('visit', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='photo', serialize=False, to='canvass.visit')),
                ('jpeg', models.BinaryField()),
                ('received_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='TurfDoor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField()),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='canvass.household')),
                ('turf', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='canvass.turf')),
            ],
            options={
                'ordering': ['turf_id', 'place', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('turf', 'household'), name='door_once_a_turf')],
            },
        ),
        migrations.CreateModel(
            name='Aside',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField()),
                ('digest', models.CharField(max_length=64)),
                ('reason', models.CharField(choices=[('other_content', 'same number as another entry, but different content'), ('wrong_turf', 'door on a list that this phone never had'), ('in_future', 'dated in the future'), ('old_form', 'form from another version of the app'), ('unreadable', 'cannot be read'), ('turf_full', 'list already has 400 doors'), ('phone_lost', 'phone reported lost'), ('door_gone', 'household was deleted after its time limit'), ('photo_too_large', 'photograph too large, not accepted')], max_length=16)),
                ('body', models.TextField()),
                ('received_at', models.DateTimeField(db_index=True)),
                ('state', models.CharField(choices=[('open', 'waits'), ('taken', 'taken in'), ('dismissed', 'rejected for good')], default='open', max_length=10)),
                ('decided_by', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.device')),
                ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit')),
            ],
            options={
                'ordering': ['-received_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('key', 'digest'), name='aside_once')],
            },
        ),
        migrations.CreateModel(
            name='DoorsDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('reached', models.PositiveIntegerField(default=0)),
                ('visits', models.PositiveIntegerField(default=0)),
                ('phones', models.PositiveIntegerField(default=0)),
                ('seen', models.PositiveIntegerField(default=0)),
                ('told', models.PositiveIntegerField(default=0)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='agencies.adminunit')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('unit', 'day'), name='doors_day_once')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('key', models.UUIDField(primary_key=True, serialize=False)),
                ('run', models.CharField(max_length=8)),
                ('number', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('received_at', models.DateTimeField(db_index=True)),
                ('device', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='devices.device')),
            ],
            options={
                'indexes': [models.Index(fields=['device', 'run', 'number'], name='entry_by_number')],
            },
        ),
        migrations.AddField(
            model_name='turf',
            name='doors',
            field=models.ManyToManyField(related_name='turfs', through='canvass.TurfDoor', to='canvass.household'),
        ),
    ]
