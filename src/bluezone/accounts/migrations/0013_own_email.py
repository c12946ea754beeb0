# SPDX-License-Identifier: Apache-2.0
"""A person may give an address for the daily digest; the audit tells of it and of reopened report periods."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_directive_acts"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="email",
            field=models.EmailField(blank=True, max_length=254, verbose_name="E-mail"),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(
                choices=[
                    ("account_made", "made an account"),
                    ("account_changed", "changed an account"),
                    ("link_made", "made a one-time link"),
                    ("role_given", "gave a role"),
                    ("role_ended", "ended a role"),
                    ("role_delegated", "delegated a role"),
                    ("factor_added", "set up a second factor"),
                    ("factor_removed", "removed a second factor"),
                    ("recovery_codes_made", "made recovery codes"),
                    ("recovery_code_used", "used a recovery code"),
                    ("sessions_ended", "ended sessions"),
                    ("password_set", "set a password"),
                    ("email_changed", "changed the own e-mail address"),
                    ("code_issued", "issued a code"),
                    ("code_revoked", "revoked a code"),
                    ("quota_refused", "was refused a code over the quota"),
                    ("entry_made", "entered a unit or agency"),
                    ("entry_changed", "changed a unit or agency"),
                    ("figure_recorded", "recorded a figure"),
                    ("recipients_changed", "changed a recipient group"),
                    ("list_imported", "imported a list"),
                    ("device_made", "entered a device"),
                    ("device_code_made", "made a code for a device"),
                    ("device_enrolled", "connected a device"),
                    ("device_revoked", "cut off a device"),
                    ("staff_reported", "reported the staff of an agency"),
                    ("week_reopened", "reopened a week for an agency"),
                    ("period_reopened", "reopened a report period for an agency"),
                    ("quota_raised", "raised the limit of codes for a day"),
                    ("declaration_key_made", "made the key for declarations"),
                    ("declaration_key_sealed", "changed the passphrase for declarations"),
                    ("declaration_opened", "opened a declaration"),
                    ("declaration_refused", "gave a wrong passphrase for declarations"),
                    ("audit_exported", "took a copy of the audit"),
                    ("news_written", "wrote a news text"),
                    ("news_published", "published news"),
                    ("news_corrected", "corrected news"),
                    ("news_withdrawn", "withdrew news"),
                    ("directive_approved", "approved a directive"),
                    ("directive_reopened", "made an approved directive a draft again"),
                    ("directive_issued", "issued a directive"),
                    ("directive_replaced", "replaced a directive"),
                    ("directive_revoked", "recalled a directive"),
                    ("document_sent_back", "sent a document back"),
                    ("report_returned", "returned a report"),
                    ("report_locked", "accepted a report, which locks it"),
                    ("edxml_exported", "wrote an exchange file"),
                    ("edxml_imported", "read an exchange file in"),
                    ("certificate_pinned", "entered a certificate of another office"),
                    ("certificate_removed", "removed a certificate of another office"),
                ],
                max_length=40,
            ),
        ),
    ]
