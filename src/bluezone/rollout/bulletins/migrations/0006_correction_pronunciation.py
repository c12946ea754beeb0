# SPDX-License-Identifier: Apache-2.0
"""The correction of a text and the pronunciation of a word have names that say what they are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bulletins', '0005_relay'),
    ]

    # Only names in Python change: the columns stay as they are.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(model_name='script', old_name='said', new_name='correction'),
                migrations.AlterField(
                    model_name='script',
                    name='correction',
                    field=models.TextField(blank=True, db_column='said', default='', max_length=12000),
                ),
                migrations.RemoveConstraint(model_name='spokenword', name='spoken_word_is_written_and_said'),
                migrations.RenameField(model_name='spokenword', old_name='said', new_name='pronunciation'),
                migrations.AlterField(
                    model_name='spokenword',
                    name='pronunciation',
                    field=models.TextField(db_column='said', verbose_name='How to say it'),
                ),
                migrations.AddConstraint(
                    model_name='spokenword',
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(('written', ''), _negated=True), models.Q(('pronunciation', ''), _negated=True)
                        ),
                        name='spoken_word_is_written_and_said',
                    ),
                ),
            ],
        ),
    ]
