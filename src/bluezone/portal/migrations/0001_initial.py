# SPDX-License-Identifier: Apache-2.0
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NewsItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'On the site'), ('withdrawn', 'Withdrawn')], default='draft', max_length=12)),
                ('title_vi', models.CharField(max_length=120, verbose_name='Title in Vietnamese')),
                ('body_vi', models.TextField(max_length=6000, verbose_name='Text in Vietnamese')),
                ('title_en', models.CharField(blank=True, max_length=120, verbose_name='Title in English')),
                ('body_en', models.TextField(blank=True, max_length=6000, verbose_name='Text in English')),
                ('written_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_reason', models.CharField(blank=True, max_length=300, verbose_name='Why it is withdrawn')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('title_vi', ''), _negated=True), models.Q(('body_vi', ''), _negated=True)), name='news_is_vietnamese_first'), models.CheckConstraint(condition=models.Q(models.Q(('title_en', ''), ('body_en', '')), models.Q(models.Q(('title_en', ''), _negated=True), models.Q(('body_en', ''), _negated=True)), _connector='OR'), name='news_english_whole_or_absent'), models.CheckConstraint(condition=models.Q(('state', 'draft'), ('published_at__isnull', False), _connector='OR'), name='news_out_has_its_time'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'withdrawn'), ('withdrawn_at__isnull', False)), models.Q(models.Q(('state', 'withdrawn'), _negated=True), ('withdrawn_at__isnull', True)), _connector='OR'), name='news_withdrawn_has_its_time')],
            },
        ),
        migrations.CreateModel(
            name='NewsVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('title_vi', models.CharField(max_length=120)),
                ('body_vi', models.TextField()),
                ('title_en', models.CharField(blank=True, max_length=120)),
                ('body_en', models.TextField(blank=True)),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='What was corrected')),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='portal.newsitem')),
            ],
            options={
                'ordering': ['item', 'number'],
                'constraints': [models.UniqueConstraint(fields=('item', 'number'), name='news_version_once'), models.CheckConstraint(condition=models.Q(('number', 1), models.Q(('note', ''), _negated=True), _connector='OR'), name='a_correction_says_what')],
            },
        ),
    ]
