# SPDX-License-Identifier: Apache-2.0
"""An office in a separate process, with its own data folder and database; requests and answers are lines of JSON.

Run as `python -m tests.builders.officeprocess FOLDER`. A request is for a page ({"as", "method", "path", "data",
"files"}) or calls a function by name ({"do", ...}); the answer is one line.
"""

import base64
import importlib
import json
import os
import shutil
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    """Open the office and answer until stdin ends."""
    os.environ["BLUEZONE_DATA"] = str(folder)
    from bluezone.server import garbage
    from bluezone.server.preparation import prepare_office

    with garbage.collection_paused():
        prepare_office(folder)
        importlib.import_module("bluezone.web.urls_office")
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(globals()[request.pop("do", "page")](**request)) + "\n")
        sys.stdout.flush()


def page(**request) -> dict:
    """A page as an account sees it after it has just proved its second factor."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test import Client

    from bluezone.identity.models import User

    client = Client()
    client.force_login(User.objects.get(username=request["as"]))
    session = client.session
    session["second_factor_at"] = int(time.time())
    session.save()
    data = dict(request.get("data") or {})
    for field, (name, content) in (request.get("files") or {}).items():
        data[field] = SimpleUploadedFile(name, base64.b64decode(content))
    answer = getattr(client, request.get("method", "get"))(request["path"], data)
    body = base64.b64encode(answer.content).decode()
    return {"status": answer.status_code, "location": answer.headers.get("Location", ""), "body": body}


def set_up_agencies(identifiers: dict, people: list) -> dict:
    """Give agencies their identifiers, and make accounts: [name, role, agency key or ""]."""
    from tests.builders.directives import extend_to_today, person

    from bluezone.directory.models import Agency

    extend_to_today()
    for key, identifier in identifiers.items():
        Agency.objects.filter(key=key).update(edxml_id=identifier)
    for name, role, key in people:
        person(name, role, Agency.objects.get(key=key) if key else None)
    return {}


def issue_letter(files: dict | None = None, replaces: str = "") -> dict:
    """Enter the letter, approve and issue it today. replaces: the number of a letter; then it has another number."""
    from django.utils import timezone
    from tests.builders.directives import LETTER, enter_letter, send_letter

    from bluezone.directory.models import Agency
    from bluezone.identity.models import User
    from bluezone.rollout.directives.issuance import attachments
    from bluezone.rollout.directives.models import Directive

    clerk = User.objects.get(username="clerk")
    signer = User.objects.get(username="signer")
    issuer = Agency.objects.get(key="ubnd-tp")
    now = timezone.now()
    text = LETTER.replace("458/UBND-VP", "470/UBND-VP") if replaces else LETTER
    directive = enter_letter(issuer, clerk, now, text)
    for name, content in (files or {}).items():
        attachments.add(directive, base64.b64decode(content), name)
    if replaces:
        Directive.objects.filter(pk=directive.pk).update(replaces=Directive.objects.get(number=replaces).pk)
        directive.refresh_from_db()
    send_letter(directive, clerk, signer, now)
    return {"pk": directive.pk}


def issue_letters(first: int, count: int, to: str) -> dict:
    """Issue `count` short letters to one agency, numbered from `first`."""
    from django.utils import timezone
    from tests.builders.directives import approve_letter

    from bluezone.directory.models import Agency
    from bluezone.identity.models import User
    from bluezone.rollout.directives.issuance import approval
    from bluezone.rollout.directives.models import Directive

    clerk = User.objects.get(username="clerk")
    signer = User.objects.get(username="signer")
    issuer = Agency.objects.get(key="ubnd-tp")
    agency = Agency.objects.get(key=to)
    now = timezone.now()
    for number in range(first, first + count):
        directive = Directive.objects.create(
            issuer=issuer, subject=f"V/v việc thứ {number}", notation="UBND-VP", signer_name="Nguyễn Văn Ký",
            recipients_action=agency.name, text=f"Bắc Kạn, ngày 1\nViệc thứ {number}", made_by=clerk, made_at=now,
        )  # fmt: skip
        directive.tasks.create(position=0, label="1", text=f"Làm việc thứ {number}", lead_names=agency.name)
        approve_letter(directive, clerk, signer, now)
        approval.give_number(directive, str(number), timezone.localdate(), clerk, now)
        approval.issue(directive, clerk, now, on_paper=True)
    return {}


def work_on_letters() -> dict:
    """Move each received letter one step towards the state that depends on its number: sent back, received, in
    progress or done.
    """
    from django.utils import timezone

    from bluezone.identity.models import User
    from bluezone.rollout.directives.inbox import dispatch_acts
    from bluezone.rollout.directives.models import Dispatch, DispatchState

    clerk = User.objects.get(username="clerk")
    ways = (["sent_back"], [], ["received"], ["received", "in_progress"], ["received", "in_progress", "done"])
    open_ones = Dispatch.objects.filter(directive__from_file=True).exclude(state__in=("sent_back", "done"))
    for dispatch in open_ones.select_related("directive", "agency"):
        way = ["arrived", *ways[int(dispatch.directive.number) % len(ways)]]
        if dispatch.state != way[-1]:
            step = way[way.index(dispatch.state) + 1]
            dispatch_acts.move(dispatch, DispatchState(step), clerk, timezone.now(), note="Thiếu tệp")
    return {}


def exchanged() -> dict:
    """Sent and received letters with their states; deliveries; and for each letter the number of status files read."""
    from collections import Counter

    from bluezone.rollout.directives.models import Delivery, Dispatch, DispatchEvent, ExchangedFile

    rows = Dispatch.objects.filter(directive__date__isnull=False).values_list("directive__number", "state")
    numbers_of_states = DispatchEvent.objects.filter(what="status_read").values_list(
        "dispatch__directive__number", flat=True
    )
    return {
        "letters": sorted([number, state] for number, state in rows),
        "open": Delivery.objects.exclude(state="taken").count(),
        "deliveries": Delivery.objects.count(),
        "refused": sorted(Delivery.objects.filter(state="refused").values_list("trouble", flat=True)),
        "read_in": Counter(ExchangedFile.objects.filter(direction="in").values_list("kind", flat=True)),
        "told": Counter(numbers_of_states),
    }


def connect(agency: str, url: str, authority: str) -> dict:
    """Exchange with an agency's office over the network."""
    from django.utils import timezone

    from bluezone.directory.models import Agency
    from bluezone.identity.models import User
    from bluezone.rollout.directives.exchange import partners

    admin = User.objects.get(username="admin")
    partners.set_address(Agency.objects.get(key=agency), url, authority, admin, timezone.now())
    return {}


def dispatch_of(number: str, agency: str) -> dict:
    """The dispatch of a document to an agency."""
    from bluezone.rollout.directives.models import Dispatch

    dispatch = Dispatch.objects.get(directive__number=number, agency__key=agency)
    return {
        "pk": dispatch.pk,
        "directive": dispatch.directive_id,
        "state": dispatch.state,
        "directive_state": dispatch.directive.state,
        "reason": dispatch.reason,
        "assigned_to": dispatch.assigned_to,
        "replaced_by": [later.number for later in dispatch.directive.replaced_by.all()],
        "tasks": dispatch.directive.tasks.count(),
        "files": [bytes(file.content).hex() for file in dispatch.directive.attachments.all()],
        "events": [[event.pk, event.what, event.note] for event in dispatch.events.order_by("pk")],
    }


def agency(key: str) -> dict:
    """The primary key of an agency."""
    from bluezone.directory.models import Agency

    return {"pk": Agency.objects.get(key=key).pk}


def grant_time(number: str, agency: str) -> dict:
    """An agency asks for ten more days on every task, and the city grants them."""
    import datetime

    from django.utils import timezone

    from bluezone.directory.models import Agency
    from bluezone.identity.models import User
    from bluezone.rollout.directives.inbox import dispatch_acts
    from bluezone.rollout.directives.models import TaskParty

    clerk = User.objects.get(username="clerk")
    asking = Agency.objects.get(key=agency)
    day = timezone.localdate() + datetime.timedelta(days=40)
    for party in TaskParty.objects.filter(task__directive__number=number, agency=asking).select_related("task"):
        request = dispatch_acts.ask(party.task, asking, "extension", "Địa bàn rộng", clerk, timezone.now(), day)
        dispatch_acts.answer(request, True, "", clerk, timezone.now())
    return {"day": day.isoformat()}


def dues(number: str) -> dict:
    """The due days of a document in this office, one for each party of a task."""
    from bluezone.rollout.directives.models import TaskParty

    parties = TaskParty.objects.filter(task__directive__number=number).select_related("task")
    return {"dues": [str(party.due or party.task.due) for party in parties]}


def counts() -> dict:
    """The number of rows of each model."""
    from bluezone.rollout.directives import models

    names = ("Directive", "Dispatch", "DispatchEvent", "StoredFile", "ExchangedFile", "ExchangeImport")
    return {name: getattr(models, name).objects.count() for name in names}


def keep_store() -> dict:
    """Copy the office's store for put_back_store()."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store = Path(connection.settings_dict["NAME"])
    shutil.copy(store, store.with_suffix(".kept"))
    return {}


def put_back_store() -> dict:
    """Restore the copy of keep_store()."""
    from django.db import connection

    connection.close()
    store = Path(connection.settings_dict["NAME"])
    for suffix in ("-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)
    shutil.copy(store.with_suffix(".kept"), store)
    return {}


def certificate() -> dict:
    """This office's certificate, PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from django.utils import timezone

    from bluezone.rollout.directives.exchange.partners import office_signer

    return {"pem": office_signer(timezone.now()).certificate.public_bytes(Encoding.PEM).decode()}


def audit() -> dict:
    """Where the audit chain is broken, and the acts in it."""
    from bluezone.audit import hash_chain
    from bluezone.identity.models import AuditEntry

    return {
        "broken_at": hash_chain.verify_chain().broken_at,
        "acts": list(AuditEntry.objects.order_by("number").values_list("action", flat=True)),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
