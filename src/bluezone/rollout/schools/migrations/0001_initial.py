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
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SchoolClass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('year', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=20, verbose_name='Class name')),
                ('folded', models.CharField(editable=False, max_length=20)),
                ('pupils', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='Pupils')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_on', models.DateField(blank=True, null=True)),
                ('link_digest', models.CharField(max_length=64, null=True, unique=True)),
                ('pin_digest', models.CharField(blank=True, max_length=64)),
                ('link_made_at', models.DateTimeField(null=True)),
                ('wrong_tries', models.PositiveSmallIntegerField(default=0)),
                ('locked_until', models.DateTimeField(null=True)),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='school_classes', to='agencies.agency')),
                ('teacher', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='school_classes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['folded', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='class_is_named'), models.CheckConstraint(condition=models.Q(('pupils__isnull', True), ('pupils__lte', 100), _connector='OR'), name='class_has_so_many_pupils'), models.UniqueConstraint(fields=('school', 'year', 'training', 'folded'), name='class_once_a_year')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ClassReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('week', models.DateField()),
                ('version', models.PositiveSmallIntegerField()),
                ('is_current', models.BooleanField(default=True)),
                ('pupils', models.PositiveSmallIntegerField(verbose_name='Pupils')),
                ('with_smartphone', models.PositiveSmallIntegerField(verbose_name='With a smartphone')),
                ('running', models.PositiveSmallIntegerField(verbose_name='Bluezone running')),
                ('relatives', models.PositiveSmallIntegerField(verbose_name='Relatives helped')),
                ('channel', models.CharField(choices=[('link', 'class link'), ('office', 'typed in by the school'), ('pasted', 'pasted from a spreadsheet')], max_length=8)),
                ('reported_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('returned_at', models.DateTimeField(null=True)),
                ('return_reason', models.CharField(blank=True, max_length=200)),
                ('reported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('returned_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school_class', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='schools.schoolclass')),
            ],
            options={
                'ordering': ['-week', 'school_class', '-version'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.UniqueConstraint(fields=('school_class', 'week', 'version'), name='class_version_once'), models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('week', 'school_class'), name='one_current_class_report'), models.CheckConstraint(condition=models.Q(('pupils__lte', 100)), name='pupils_of_one_class'), models.CheckConstraint(condition=models.Q(('with_smartphone__lte', models.F('pupils'))), name='smartphones_among_pupils'), models.CheckConstraint(condition=models.Q(('running__lte', models.F('with_smartphone'))), name='pupils_run_on_smartphones'), models.CheckConstraint(condition=models.Q(('relatives__lte', 1000)), name='relatives_of_one_class'), models.CheckConstraint(condition=models.Q(models.Q(('channel', 'link'), ('reported_by__isnull', True)), models.Q(('channel__in', ['office', 'pasted']), ('reported_by__isnull', False)), _connector='OR'), name='link_is_nobody_else_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('return_reason', ''), ('returned_at__isnull', True)), models.Q(('returned_at__isnull', False), models.Q(('return_reason', ''), _negated=True)), _connector='OR'), name='class_return_has_a_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='WeekOpening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('week', models.DateField()),
                ('reason', models.CharField(max_length=200, verbose_name='Reason')),
                ('state', models.CharField(choices=[('asked', 'waiting for an answer'), ('opened', 'granted'), ('declined', 'declined')], default='asked', max_length=8)),
                ('until', models.DateField(null=True)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='school_week_openings', to='agencies.agency')),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='school_opening_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'opened'), ('until__isnull', False)), models.Q(models.Q(('state', 'opened'), _negated=True), ('until__isnull', True)), _connector='OR'), name='school_opening_has_an_end'), models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('school', 'week', 'training'), name='one_open_school_request')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='SchoolBreak',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('training', models.BooleanField(default=bluezone.training.practising, editable=False)),
                ('first_week', models.DateField()),
                ('last_week', models.DateField()),
                ('reason', models.CharField(max_length=80, verbose_name='Reason')),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='school_breaks', to='agencies.agency')),
                ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='school_breaks', to='agencies.adminunit')),
            ],
            options={
                'ordering': ['-first_week', 'pk'],
                'abstract': False,
                'base_manager_name': 'everything',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('school__isnull', True), ('unit__isnull', False)), models.Q(('school__isnull', False), ('unit__isnull', True)), _connector='OR'), name='break_of_a_school_or_a_unit'), models.CheckConstraint(condition=models.Q(('last_week__gte', models.F('first_week'))), name='break_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='break_has_a_reason')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('everything', django.db.models.manager.Manager()),
            ],
        ),
    ]
