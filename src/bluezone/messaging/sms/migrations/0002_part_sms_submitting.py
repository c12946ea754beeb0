"""Parts under way are found without reading those of the last 35 days."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="part",
            index=models.Index(
                condition=models.Q(("state", "submitting")), fields=["message"], name="sms_submitting"
            ),
        ),
    ]
