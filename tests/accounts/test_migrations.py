# SPDX-License-Identifier: Apache-2.0
"""An office from before roles were grants, brought up to this version in a process and a store of its own."""

import json
import os
import subprocess
import sys

UPGRADE = """
import json, django
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("migrate", "accounts", "0006", verbosity=0)
with connection.cursor() as cursor:
    for name, role in (("mai", "admin"), ("lan", "health_worker"), ("hoa", "supervisor")):
        cursor.execute(
            "INSERT INTO accounts_user (password, username, name, agency, role, is_active, created_at)"
            " VALUES ('x', %s, 'N', 'A', %s, 1, CURRENT_TIMESTAMP)", [name, role])
call_command("migrate", verbosity=0)
from bluezone.accounts.models import User
from bluezone.accounts.scoping import grants_of
accounts = User.objects.all()
print(json.dumps({user.username: [(grant.role, grant.scope) for grant in grants_of(user)] for user in accounts}))
"""


def test_what_an_account_was_for_becomes_its_grant_in_the_whole_city(tmp_path):
    environ = {**os.environ, "BLUEZONE_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "bluezone.web.settings"}
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE], env=environ, capture_output=True, text=True, check=True, timeout=120
    )

    assert json.loads(done.stdout) == {
        "mai": [["admin", None]],
        "lan": [["health_worker", None]],
        "hoa": [["supervisor", None]],
    }
