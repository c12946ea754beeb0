# SPDX-License-Identifier: Apache-2.0
"""An office in which facilities were typed, brought up to this version in a process and a store of its own."""

import json
import os
import subprocess
import sys

UPGRADE = """
import json, django
django.setup()
from django.core.management import call_command
from django.db import connection
for app, number in (("accounts", "0010"), ("agencies", "0002"), ("healthauthority", "0002")):
    call_command("migrate", app, number, verbosity=0)
from bluezone.agencies.planting import plant_seed
plant_seed()
people = (("lan", "health_worker", "Trung tâm  Y tế"), ("hoa", "health_worker", "Trạm Y tế Sông Cầu"),
          ("mai", "health_worker", "trạm y tế sông cầu"), ("sup", "supervisor", "Trung tâm Y tế"),
          ("binh", "health_worker", ""))
with connection.cursor() as cursor:
    for number, (name, role, agency) in enumerate(people, 1):
        cursor.execute(
            "INSERT INTO accounts_user (id, password, username, name, agency, is_active, created_at)"
            " VALUES (%s, 'x', %s, 'N', %s, 1, CURRENT_TIMESTAMP)", [number, name, agency])
        cursor.execute(
            "INSERT INTO accounts_rolegrant (user_id, role, valid_from) VALUES (%s, %s, '2020-01-01')", [number, role])
        cursor.execute(
            "INSERT INTO healthauthority_issuedcode (handle, worker_id, facility, case_class, issued_at, expires_at,"
            " link_expires_at, form_id) VALUES (%s, %s, %s, 'confirmed', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP,"
            " CURRENT_TIMESTAMP, %s)", [f"h{number}", number, " ".join(agency.split()), f"{number:032x}"])
    for place in ("Trung tâm Y tế", "nowhere"):
        cursor.execute(
            "INSERT INTO healthauthority_quotaraise (facility, day, more, reason, raised_by_id, raised_at)"
            " VALUES (%s, '2020-08-07', 5, 'absent', 4, CURRENT_TIMESTAMP)", [place])
call_command("migrate", verbosity=0)
from bluezone.accounts.models import User
from bluezone.agencies.models import Agency
from bluezone.healthauthority.facilities import facility_of
from bluezone.healthauthority.models import IssuedCode, QuotaRaise
print(json.dumps({
    "facilities": {user.username: getattr(facility_of(user), "name", None) for user in User.objects.all()},
    "codes": {code.worker.username: getattr(code.facility, "name", None) for code in IssuedCode.objects.all()},
    "raised": [raised.facility.name for raised in QuotaRaise.objects.all()],
    "entered": [[a.name, a.kind, a.confirmed, a.unit.key] for a in Agency.objects.filter(key__startswith="co-so")],
}))
"""
CENTRE = "Trung tâm Y tế thành phố"


def test_a_typed_facility_becomes_the_agency_it_names_or_one_that_is_entered_unconfirmed(tmp_path):
    environ = {**os.environ, "BLUEZONE_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "bluezone.web.settings"}
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE], env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout)
    places = {"lan": CENTRE, "hoa": "Trạm Y tế Sông Cầu", "mai": "Trạm Y tế Sông Cầu", "binh": None}

    assert found["facilities"] == {**places, "sup": None}
    assert found["codes"] == {**places, "sup": CENTRE}
    assert found["raised"] == [CENTRE]
    assert found["entered"] == [["Trạm Y tế Sông Cầu", "health", False, "tp-bac-kan"]]
