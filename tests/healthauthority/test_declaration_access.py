# SPDX-License-Identifier: Apache-2.0
"""Declarations in the office: a key under a passphrase, each opening audited, nothing read is stored."""

import datetime
import time
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.office import user

from bluezone.healthauthority import declaration_access, hourly_work
from bluezone.healthauthority.forms import NewPassphraseForm
from bluezone.healthauthority.matters import matters_of
from bluezone.healthauthority.models import DeclarationKey, OpenedDeclaration
from bluezone.identity.models import AuditEntry, Role
from bluezone.keyserver import declarations
from bluezone.protocol.declaration import Declaration, read_public_key, seal_declaration
from bluezone.protocol.declarationkey import (
    PassphraseTooShort,
    PassphraseWrong,
    unseal_private_key,
)
from bluezone.protocol.signed.config import decode_config
from bluezone.server.recurring_work import purge_office

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passphrases")]
PASSPHRASE = "năm con suối chảy về một bản"
OTHER = "mười hai bậc đá lên nương ngô"
TEXT = "Tôi sốt nhẹ từ tối qua"
PHONE = "0912345678"


@pytest.fixture
def supervisor():
    return user("sup", Role.SUPERVISOR)


@pytest.fixture
def key(server, supervisor):
    return declaration_access.make_declaration_key(server, supervisor, PASSPHRASE, timezone.now())


def declare(server, pem=None, text=TEXT, level="high"):
    public = read_public_key(pem or declarations.published_key(server.data_dir))
    message = seal_declaration(Declaration(20_000, level, PHONE, text), public)
    server.declarations.accept_declaration(message, bytes(4))
    return server.declarations.list_declarations()


def handles(server):
    return [handle for handle, _hour in server.declarations.list_declarations()]


def opened(server, supervisor, passphrase=PASSPHRASE, now=None):
    return declaration_access.open_declarations(server, supervisor, handles(server), passphrase, now or timezone.now())


def acts():
    return [entry.action for entry in AuditEntry.objects.order_by("number")]


def test_the_config_carries_the_key_that_the_office_made(server, key):
    server.tick()

    assert decode_config(server.configs.payload(server.configs.newest_number())).declaration_key == key.public_pem


def test_what_was_declared_is_read_with_the_passphrase_and_each_opening_is_audited(server, supervisor, key):
    declare(server)
    (one,) = opened(server, supervisor)

    assert (one.declaration.phone, one.declaration.text) == (PHONE, TEXT)
    entry = AuditEntry.objects.get(action="declaration_opened")
    assert (entry.actor, entry.subject) == ("sup", one.handle)
    opened(server, supervisor)
    assert acts().count("declaration_opened") == 2


def test_nothing_of_it_is_stored_in_the_office(server, supervisor, key):
    declare(server)
    opened(server, supervisor)
    with connection.cursor() as cursor:
        content = ""
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            content += repr(cursor.fetchall())

    assert handles(server)[0] in content, "the search sees what is there"
    assert PHONE not in content
    assert TEXT not in content
    assert PASSPHRASE not in content


def test_a_wrong_passphrase_opens_nothing_is_audited_and_after_five_waits(server, supervisor, key):
    declare(server)
    now = timezone.now()
    for _ in range(5):
        with pytest.raises(PassphraseWrong):
            opened(server, supervisor, "this is not the passphrase", now)
    with pytest.raises(declaration_access.PassphraseTriesUsed):
        opened(server, supervisor, PASSPHRASE, now)

    assert acts().count("declaration_refused") == 5
    assert not OpenedDeclaration.objects.exists()
    assert opened(server, user("other", Role.SUPERVISOR), PASSPHRASE, now), "nobody waits for what another typed"
    assert opened(server, supervisor, PASSPHRASE, now + datetime.timedelta(minutes=16))


def test_a_short_passphrase_makes_no_key(server, supervisor):
    with pytest.raises(PassphraseTooShort):
        declaration_access.make_declaration_key(server, supervisor, "too short", timezone.now())
    assert not DeclarationKey.objects.exists()
    assert declarations.published_key(server.data_dir) is None


def test_another_key_is_published_and_the_old_one_still_opens_what_was_sealed_for_it(server, supervisor, key):
    declare(server)
    newer = declaration_access.make_declaration_key(server, supervisor, OTHER, timezone.now())
    declare(server)

    assert declarations.published_key(server.data_dir) == newer.public_pem
    assert sorted(bool(one.declaration) for one in opened(server, supervisor)) == [False, True]
    assert sorted(bool(one.declaration) for one in opened(server, supervisor, OTHER)) == [False, True]


def test_changing_the_passphrase_keeps_the_key(server, supervisor, key):
    declare(server)
    declaration_access.change_passphrase(supervisor, PASSPHRASE, OTHER, timezone.now())

    assert declarations.published_key(server.data_dir) == key.public_pem
    assert opened(server, supervisor, OTHER)[0].declaration
    with pytest.raises(PassphraseWrong):
        opened(server, supervisor)


def test_a_key_that_could_not_be_published_is_published_at_the_next_look(server, supervisor, key):
    (server.data_dir / declarations.KEY_FILE).unlink()
    declaration_access.publish_current_key(server)

    assert declarations.published_key(server.data_dir) == key.public_pem


@pytest.mark.long
def test_after_30_days_the_tick_has_deleted_messages_and_notes(server, supervisor, key):
    declare(server)
    opened(server, supervisor)
    later = timezone.now() + datetime.timedelta(days=30, minutes=1)
    server.tick(later.timestamp())
    purge_office(later)

    assert server.declarations.list_declarations() == []
    assert not OpenedDeclaration.objects.exists()


def test_a_replaced_key_goes_when_nothing_sealed_for_it_is_left(server, supervisor, key):
    now = timezone.now()
    declaration_access.make_declaration_key(server, supervisor, OTHER, now)
    declaration_access.delete_expired(now + datetime.timedelta(days=30))
    assert DeclarationKey.objects.count() == 2

    declaration_access.delete_expired(now + datetime.timedelta(days=31, seconds=1))
    assert [left.replaced_at for left in DeclarationKey.objects.all()] == [None]


@pytest.fixture
def page(client, server, supervisor):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(supervisor)
    return client


def confirmed(client):
    """This browser has just proved its second factor."""
    session = client.session
    session["second_factor_at"] = int(time.time())
    session.save()


@pytest.mark.parametrize("place", ["/codes/declarations/key/", "/codes/declarations/passphrase/"])
def test_the_pages_of_the_key_ask_for_the_second_factor_first(page, key, place):
    form = {"present": PASSPHRASE, "new": OTHER, "again": OTHER, "understood": "on"}
    asked = page.get(place), page.post(place, form, headers={"Referer": f"http://testserver{place}"})

    assert [answer.url for answer in asked] == [f"/confirm/?next={quote(place, safe='')}"] * 2
    assert list(DeclarationKey.objects.values_list("pk", flat=True)) == [key.pk]
    assert unseal_private_key(bytes(DeclarationKey.objects.get().sealed), PASSPHRASE)


def test_before_there_is_a_key_the_page_teaches_and_leads_to_it(page):
    assert "There is no key yet" in page.get("/codes/declarations/").text
    confirmed(page)
    said = page.post(
        "/codes/declarations/key/", {"new": PASSPHRASE, "again": PASSPHRASE, "understood": "on"}, follow=True
    ).text
    assert "The key has been created" in said
    assert "No declaration is waiting" in said


def test_the_page_shows_what_was_opened_escaped_and_notes_the_call(page, server, key):
    declare(server, text="<script>alert(1)</script>")
    (handle,) = handles(server)
    listed = page.get("/codes/declarations/").text
    assert PHONE not in listed
    shown = page.post("/codes/declarations/", {"handle": handle, "passphrase": PASSPHRASE})

    assert f'href="tel:{PHONE}"' in shown.text
    assert "&lt;script&gt;alert(1)" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "not called" in page.get("/codes/declarations/").text
    assert page.post(f"/codes/declarations/{handle}/called/").status_code == 204
    noted = page.get("/codes/declarations/").text
    assert "called" in noted
    assert "not called" not in noted


@pytest.mark.parametrize(
    ("level", "said"),
    [("high", "high risk"), ("low", "possible risk"), ("unclear", "the phone cannot tell how near")],
)
def test_the_page_says_of_each_what_the_phone_could_tell(page, server, key, level, said):
    declare(server, level=level)
    (handle,) = handles(server)
    shown = page.post("/codes/declarations/", {"handle": handle, "passphrase": PASSPHRASE}).text

    told = {words for words in ("high risk", "possible risk", "the phone cannot tell how near") if words in shown}
    assert told == {said}


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({"passphrase": PASSPHRASE}, 422, "You have not ticked anything"),
        ({"handle": "00" * 16, "passphrase": "this is another one"}, 403, "does not open the key"),
        ({"handle": "00" * 16}, 422, "This field is required"),
        ({"handle": "00" * 16, "passphrase": PASSPHRASE}, 200, "deleted in the meantime"),
    ],
)
def test_what_opens_nothing_says_why(page, server, key, sent, status, sentence):
    declare(server)
    answer = page.post("/codes/declarations/", sent)

    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert "declaration_opened" not in acts()


def test_changing_the_passphrase_on_its_page(page, key):
    confirmed(page)
    wrong = {"present": "no passphrase at all", "new": OTHER, "again": OTHER}
    assert page.post("/codes/declarations/passphrase/", wrong).status_code == 422
    right = {**wrong, "present": PASSPHRASE}
    assert "The passphrase has been changed" in page.post("/codes/declarations/passphrase/", right, follow=True).text
    assert page.post("/codes/declarations/passphrase/", {**right, "again": "x"}).status_code == 422


def test_a_worker_and_an_administrator_see_no_declaration(client, server, key):
    for role in (Role.HEALTH_WORKER, Role.ADMIN):
        client.force_login(user(f"other-{role}"[:20].replace("_", "-"), role))
        assert client.get("/codes/declarations/").status_code == 403


def test_a_call_is_noted_of_opened_declarations_alone(page, server, key):
    declare(server)

    assert page.post(f"/codes/declarations/{handles(server)[0]}/called/").status_code == 404


def test_a_second_call_leaves_the_time_of_the_first(supervisor):
    now = timezone.now()
    OpenedDeclaration.objects.create(handle="h", opened_at=now, opened_by=supervisor)
    for minutes in (5, 90):
        assert declaration_access.record_declaration_call("h", now + datetime.timedelta(minutes=minutes))

    assert OpenedDeclaration.objects.get().called_at == now + datetime.timedelta(minutes=5)


def test_declarations_wait_for_four_hours_from_the_oldest_that_was_not_opened(server, supervisor, key):
    ((_handle, hour),) = declare(server)
    received = datetime.datetime.fromtimestamp(hour * 3600, datetime.UTC)
    (waiting,) = matters_of(supervisor, timezone.now())

    assert waiting.by - received == datetime.timedelta(hours=4)
    opened(server, supervisor)
    assert matters_of(supervisor, timezone.now()) == []


def test_the_purge_forgets_a_replaced_key_and_a_note_when_their_time_is_over_and_not_before(server, supervisor, key):
    now = timezone.now()
    declaration_access.make_declaration_key(server, supervisor, OTHER, now)
    OpenedDeclaration.objects.create(handle="h", opened_at=now, opened_by=supervisor)
    second, day = datetime.timedelta(seconds=1), datetime.timedelta(days=1)
    left = []
    for moment in (now + 30 * day - second, now + 30 * day, now + 31 * day, now + 31 * day + second):
        hourly_work.purge(moment)
        left.append((DeclarationKey.objects.count(), OpenedDeclaration.objects.count()))

    assert left == [(2, 1), (2, 0), (2, 0), (1, 0)]


def test_each_key_that_is_made_is_in_the_audit_and_whether_it_replaces_one(server, supervisor, key):
    declaration_access.make_declaration_key(server, supervisor, OTHER, timezone.now())
    made = AuditEntry.objects.filter(action="declaration_key_made").order_by("number")

    assert [(entry.actor, entry.details) for entry in made] == [
        ("sup", {"replaced": False}),
        ("sup", {"replaced": True}),
    ]


@pytest.mark.parametrize(
    ("new", "again", "wrong"),
    [
        (OTHER, OTHER, set()),
        (OTHER, PASSPHRASE, {"again"}),
        ("x" * 15, "x" * 15, {"new"}),
        ("x" * 15, OTHER, {"new"}),
        ("x" * 16, "x" * 16, set()),
        (" " * 9 + "x" * 15, " " * 9 + "x" * 15, {"new"}),
        (OTHER, "", {"again"}),
    ],
)
def test_a_passphrase_is_typed_twice_and_long_enough(new, again, wrong):
    assert set(NewPassphraseForm({"new": new, "again": again}).errors) == wrong
