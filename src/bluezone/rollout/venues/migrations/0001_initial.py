import bluezone.training
import django.core.validators
import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("agencies", "0001_squashed_0003_venues_counted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Venue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('name', models.CharField(max_length=80, verbose_name='Name of the venue')),
                ('address', models.CharField(max_length=100, verbose_name='Address')),
                ('kind', models.PositiveSmallIntegerField(choices=[(1, 'Hotel, other'), (3, 'Shop, market'), (4, 'Restaurant, café'), (5, 'Workshop, service'), (6, 'Business, workplace'), (8, 'Public building')], default=4, verbose_name='Kind')),
                ('stay_minutes', models.PositiveSmallIntegerField(default=60, validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(1440)], verbose_name='Usual stay in minutes')),
                ('sealed', models.BinaryField(default=bytes)),
                ('contact_digest', models.CharField(blank=True, db_index=True, max_length=64)),
                ('handle', models.CharField(max_length=22, unique=True)),
                ('in_person', models.BooleanField(default=False)),
                ('state', models.CharField(choices=[('unconfirmed', 'address not confirmed'), ('applied', 'waiting for the ward'), ('approved', 'registered'), ('refused', 'refused'), ('suspended', 'code revoked'), ('closed', 'closed')], max_length=12)),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='Reason')),
                ('applied_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('decided_at', models.DateTimeField(null=True)),
                ('till_digest', models.CharField(max_length=64, null=True, unique=True)),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='venues', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='venues', to='agencies.adminunit', verbose_name='Ward or commune')),
            ],
            options={
                'ordering': ['name', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'indexes': [models.Index(fields=['unit', 'state'], name='venue_by_unit_and_state')],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='venue_has_a_name'), models.CheckConstraint(condition=models.Q(('state__in', ['unconfirmed', 'applied', 'approved', 'refused', 'suspended', 'closed'])), name='venue_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='refused_venue_has_a_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Inspection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('day', models.DateField(verbose_name='Day')),
                ('poster_seen', models.BooleanField(verbose_name='The poster with the current code is where people can see it')),
                ('findings', models.TextField(blank=True, max_length=1000, verbose_name='Findings')),
                ('inspected_by', models.CharField(max_length=40)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inspections', to='venues.venue')),
            ],
            options={
                'ordering': ['-day', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='InspectionPhoto',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('jpeg', models.BinaryField()),
                ('inspection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='photo', to='venues.inspection')),
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
            name='TillCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tablet', models.CharField(max_length=16)),
                ('day', models.DateField()),
                ('people', models.PositiveIntegerField()),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='till_counts', to='venues.venue')),
            ],
            options={
                'ordering': ['day'],
                'constraints': [models.UniqueConstraint(fields=('venue', 'tablet', 'day'), name='till_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='PosterCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('link', models.TextField()),
                ('fingerprint', models.CharField(max_length=6)),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('short', models.CharField(max_length=8, unique=True)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_why', models.CharField(blank=True, choices=[('renewed', 'replaced by a new one'), ('suspended', 'revoked'), ('closed', 'the venue has closed')], max_length=10)),
                ('venue', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='venues.venue')),
            ],
            options={
                'ordering': ['-number'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('venue', 'number'), name='venue_code_number_once'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('venue',), name='one_code_in_force_a_venue'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_why', '')), models.Q(('ended_at__isnull', False), models.Q(('ended_why', ''), _negated=True)), _connector='OR'), name='ended_code_says_why')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='MailCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('digest', models.CharField(max_length=64)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('expires_at', models.DateTimeField()),
                ('venue', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mail_code', to='venues.venue')),
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
            name='ScanCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('count', models.PositiveIntegerField(default=0)),
                ('code', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scans', to='venues.postercode')),
            ],
            options={
                'ordering': ['day'],
                'constraints': [models.UniqueConstraint(fields=('code', 'day'), name='scans_once_a_day')],
            },
        ),
    ]
