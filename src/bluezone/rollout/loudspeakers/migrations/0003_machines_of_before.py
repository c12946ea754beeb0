# A machine that is in a zone already is taken to have been there since its enrolment: it cannot have played before.
# A migration of its own, since PostgreSQL alters no table in a transaction that has just filled it.

from django.db import migrations


def begin(apps, schema_editor):
    Unit, Assignment = apps.get_model("loudspeakers", "Unit"), apps.get_model("loudspeakers", "Assignment")
    units = Unit.objects.filter(zone__by_hand=False).values_list(
        "device_id", "zone_id", "device__enrolled_at", "device__made_at"
    )
    Assignment.objects.bulk_create(
        Assignment(device_id=device, zone_id=zone, since=enrolled_at or made_at)
        for device, zone, enrolled_at, made_at in units
    )


class Migration(migrations.Migration):

    dependencies = [
        ("devices", "0001_initial"),
        ("loudspeakers", "0002_assignment"),
    ]

    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
