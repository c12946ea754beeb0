# SPDX-License-Identifier: Apache-2.0
"""Of an issued code the minute, sealed for the health supervisor, and the key that it is sealed for."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('healthauthority', '0008_messages_of_the_house'),
    ]

    operations = [
        migrations.CreateModel(
            name='InquiryKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public', models.CharField(max_length=64)),
                ('set_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-set_at', '-pk'],
            },
        ),
        migrations.AddField(
            model_name='issuedcode',
            name='sealed_minute',
            field=models.BinaryField(null=True),
        ),
    ]
