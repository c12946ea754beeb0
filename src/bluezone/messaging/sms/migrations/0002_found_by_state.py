"""What is open and what is under way are found without reading the deliveries of the last 35 days."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sms", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="message", name="sms_open"),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["state", "urgency", "next_try_at"], name="sms_open"),
        ),
        migrations.AddIndex(
            model_name="part",
            index=models.Index(fields=["state", "message"], name="sms_part_state"),
        ),
    ]
