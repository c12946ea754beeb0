# SPDX-License-Identifier: Apache-2.0
"""What is carried to other offices over the network; documents and files of theirs that no account read in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agencies', '0004_lists_in_pieces'),
        ('directives', '0008_signing_over_versions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('matter', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('waiting', 'on its way'), ('taken', 'accepted by the other office'), ('refused', 'refused by the other office')], default='waiting', max_length=8)),
                ('content', models.BinaryField(null=True)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('next_at', models.DateTimeField()),
                ('trouble', models.CharField(blank=True, max_length=40)),
                ('receipt', models.TextField(blank=True)),
                ('made_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='PartnerAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=200, verbose_name='Address')),
                ('authority', models.TextField(blank=True)),
                ('set_at', models.DateTimeField()),
            ],
        ),
        migrations.AlterField(
            model_name='directive',
            name='made_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='exchangedfile',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='directive',
            constraint=models.CheckConstraint(condition=models.Q(('from_file', True), ('made_by__isnull', False), _connector='OR'), name='directive_is_made_by_somebody'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='dispatch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='directives.dispatch'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='file',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='delivery', to='directives.exchangedfile'),
        ),
        migrations.AddField(
            model_name='delivery',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='agencies.agency'),
        ),
        migrations.AddField(
            model_name='partneraddress',
            name='agency',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='exchange_address', to='agencies.agency'),
        ),
        migrations.AddField(
            model_name='partneraddress',
            name='set_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['next_at'], name='delivery_waiting'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['dispatch', 'state'], name='delivery_of_dispatch'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('dispatch', 'matter'), name='delivered_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'taken', 'refused'])), name='delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'waiting'), _negated=True), ('content__isnull', False), _connector='OR'), name='waiting_delivery_has_its_content'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'taken'), _negated=True), models.Q(('receipt', ''), _negated=True), _connector='OR'), name='taken_delivery_has_a_receipt'),
        ),
        migrations.AddConstraint(
            model_name='partneraddress',
            constraint=models.CheckConstraint(condition=models.Q(('url__startswith', 'https://')), name='partner_address_is_https'),
        ),
    ]
