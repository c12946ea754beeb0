# SPDX-License-Identifier: Apache-2.0
"""The facility of a health worker is an agency of the directory, and no longer what somebody typed into the account.

A health worker whose role reached the whole city gets it in the agency their account named. One that the directory
does not have is entered there, unconfirmed, so that the workers of a facility go on sharing its limit; where there is
no directory yet, the role stays in the whole city. A supervisor's role is left as it is: it says what they oversee.
Codes of the last 14 days follow their worker; what was raised for today for a facility that is not found ends.
"""

import uuid
from collections import Counter

from django.db import migrations
from django.utils import timezone

from bluezone.agencies.folding import fold

HEALTH_WORKER = "health_worker"
ABOVE_WARDS = ("district", "province")


def one_spelling(text):
    return fold(" ".join(text.split()))


def known_agencies(agency_model):
    """Agencies by their folded names, long and short; those in force today before those of the past."""
    today, found = timezone.localdate(), {}
    rows = list(agency_model.objects.select_related("unit"))
    rows.sort(key=lambda row: (row.valid_to is not None and row.valid_to <= today, row.kind != "health", row.pk))
    for row in rows:
        for name in filter(None, (row.name, row.short_name)):
            found.setdefault(one_spelling(name), row)
    return found


def city_of(agency_model):
    """The unit above the wards that most agencies serve, None without agencies."""
    counted = Counter(
        row.unit for row in agency_model.objects.select_related("unit") if row.unit.kind in ABOVE_WARDS
    )
    return counted.most_common(1)[0][0] if counted else None


def enter(agency_model, unit, name):
    """A facility that only accounts have named so far."""
    row = agency_model.objects.create(
        key=f"co-so-y-te-{uuid.uuid4().hex[:12]}",
        name=name,
        folded=fold(name),
        path="",
        kind="health",
        unit=unit,
        valid_from=unit.valid_from,
        valid_to=unit.valid_to,
        confirmed=False,
        unconfirmed=["name", "unit"],
    )
    row.path = f"{row.pk}/"
    row.save(update_fields=["path"])
    return row


def place_workers(apps, schema_editor):
    agency_model = apps.get_model("agencies", "Agency")
    grants = apps.get_model("accounts", "RoleGrant").objects
    code, raised = (apps.get_model("healthauthority", name) for name in ("IssuedCode", "QuotaRaise"))
    known, city = known_agencies(agency_model), city_of(agency_model)
    everywhere = grants.filter(role=HEALTH_WORKER, agency=None, unit=None).select_related("user").order_by("pk")
    for grant in everywhere:
        name = " ".join(grant.user.agency.split())
        agency = known.get(one_spelling(name))
        if agency is None and name and city is not None:
            agency = known[one_spelling(name)] = enter(agency_model, city, name)
        if agency is not None:
            grant.agency = agency
            grant.save(update_fields=["agency"])
    for model in (code, raised):
        named = model.objects.exclude(facility_text="")
        for name in set(named.values_list("facility_text", flat=True)):
            model.objects.filter(facility_text=name).update(facility=known.get(one_spelling(name)))
    raised.objects.filter(worker=None, facility=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("healthauthority", "0003_facility_beside_its_name"),
        ("accounts", "0010_factors_and_sessions"),
        ("agencies", "0002_code_once_a_day"),
    ]
    operations = [migrations.RunPython(place_workers, migrations.RunPython.noop, elidable=False)]
