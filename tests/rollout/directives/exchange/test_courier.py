# SPDX-License-Identifier: Apache-2.0
"""What waits on its way to another office, why, and what the pages say of it."""

import datetime
import http.server
import re
import ssl
import threading

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.builders.directives import person
from tests.builders.office import prove_second_factor
from tests.rollout.directives.exchange.edxml.keys import signer as signer_of

from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.directives import retention
from bluezone.rollout.directives.exchange import handover, partners
from bluezone.rollout.directives.exchange.courier import Courier, collect, send_again
from bluezone.rollout.directives.exchange.handover import Outcome, Receipt
from bluezone.rollout.directives.issuance import approval, recipient_changes
from bluezone.rollout.directives.matters import CARRIED_WITHIN, matters_of
from bluezone.rollout.directives.models import Delivery, Dispatch, PartnerAddress
from bluezone.tls import ensure_identity

WARD = "ubnd-phuong-song-cau"
MINUTE = datetime.timedelta(minutes=1)


class Answering(http.server.ThreadingHTTPServer):
    """An HTTPS server that answers each message as `answer` says, and keeps what came."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Messages)
        identity = ensure_identity(folder, ["localhost"], datetime.datetime.now(datetime.UTC))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.authority = identity.authority.read_text()
        self.came: list[bytes] = []
        self.answer = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that does not trust the server ends the handshake."""


class Messages(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append(body)
        status, answer, headers = self.server.answer(body)
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(answer))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path):
    answering = Answering(tmp_path)
    yield answering
    answering.shutdown()
    answering.server_close()


class There:
    """The ward's office as the city knows it."""

    def __init__(self, directive, admin, server):
        self.now = timezone.now()
        self.ward = Agency.objects.get(key=WARD)
        Agency.objects.filter(key="ubnd-tp").update(edxml_id="28.22.H17")
        Agency.objects.filter(key=WARD).update(edxml_id="05.28.22.H17")
        self.ward.refresh_from_db()
        self.signer = signer_of("ward", at=self.now)
        partners.pin(self.ward, self.signer.certificate, admin, self.now)
        self.dispatch = directive.dispatches.get(agency=self.ward)
        self.address(admin, server.server_address[1], server.authority)

    def address(self, admin, port, authority):
        partners.set_address(self.ward, f"https://localhost:{port}", authority, admin, self.now)

    def receipt(self, outcome=Outcome.TAKEN, code="", signer=None):
        def answer(body):
            written, signature = handover.write_receipt(
                Receipt(outcome, code), handover.digest_of(body), signer or self.signer
            )
            return 200, written, {handover.SIGNATURE: signature}

        return answer

    def delivery(self):
        return Delivery.objects.get(dispatch=self.dispatch, matter="document")


@pytest.fixture
def admin(committee):
    return person("keeper", Role.ADMIN)


@pytest.fixture
def there(directive, admin, server):
    return There(directive, admin, server)


@pytest.mark.long
def test_of_two_who_set_an_address_the_second_is_shown_what_the_first_has_stored(client, there, admin):
    client.force_login(admin)
    address = reverse("directive-partner-address", args=[there.ward.pk])

    def shown(page):
        return re.search(r'name="shown" value="([^"]+)"', page.text)[1]

    before = {"authority": "", "shown": shown(prove_second_factor(client).get(address))}
    assert client.post(address, {**before, "url": "https://mot.example"}).status_code == 302
    second = client.post(address, {**before, "url": "https://hai.example"})

    assert second.status_code == 409
    assert [one.stored for one in second.context["form"].clashes] == ["https://mot.example"]
    assert PartnerAddress.objects.get(agency=there.ward).url == "https://mot.example"
    again = {**before, "url": "https://hai.example", "shown": shown(second)}
    assert client.post(address, again).status_code == 302
    assert PartnerAddress.objects.get(agency=there.ward).url == "https://hai.example"


def page(username, address, language="vi"):
    client = Client()
    client.force_login(person(username, Role.CLERK) if isinstance(username, str) else username)
    client.cookies["bluezone-language"] = language
    return client.get(address).content.decode()


@pytest.mark.long
def test_a_letter_is_carried_once_and_its_receipt_is_kept(there, server):
    server.answer = there.receipt()
    courier = Courier()
    assert [courier.go_on(there.now), courier.go_on(there.now)] == [1, 0]
    delivery = there.delivery()

    assert (delivery.state, delivery.content, len(server.came)) == ("taken", None, 1)
    assert '"outcome": "taken"' in delivery.receipt
    assert Dispatch.objects.get(pk=there.dispatch.pk).by_file
    assert AuditEntry.objects.filter(action="edxml_exported").count() == 1


SIGNED = {handover.SIGNATURE: "AAAA"}


def plain(status, body, **headers):
    return lambda there: lambda _message: (status, body, headers)


def signed_by_another(there):
    return there.receipt(signer=signer_of("somebody", at=there.now))


@pytest.mark.long
@pytest.mark.parametrize(
    ("answer", "trouble", "words", "english"),
    [
        (plain(200, b"ok"), "not_an_office", "Một chương trình khác trả lời", "Another program answers"),
        (plain(302, b"", Location="https://example.org/"), "not_an_office", "Một chương trình", "Another program"),
        (plain(401, b"{}"), "unknown_there", "chưa biết chứng thư", "does not know this office"),
        (plain(503, b""), "busy", "chưa nhận được lúc này", "cannot accept it at the moment"),
        (signed_by_another, "receipt_wrong", "không ký nhận", "was not signed with the certificate"),
        (plain(200, b"x" * 100_000, **SIGNED), "receipt_wrong", "không ký nhận", "was not signed with the certificate"),
    ],
    ids=["no receipt", "redirect", "unknown", "busy", "another signer", "endless answer"],
)
def test_what_is_not_signed_for_waits_longer_each_time_and_the_pages_say_why(
    there, server, clerk, answer, trouble, words, english
):
    server.answer = answer(there)
    courier = Courier()
    courier.go_on(there.now)
    once = there.delivery()
    courier.go_on(once.next_at)
    twice = there.delivery()

    assert (once.state, once.trouble, once.tries, twice.tries) == ("waiting", trouble, 1, 2)
    assert there.now < once.next_at < twice.next_at
    assert twice.next_at - once.next_at > once.next_at - there.now
    assert words in page(clerk, "/exchange/")
    assert english in page(clerk, "/exchange/", "en")
    assert words in page(clerk, f"/directives/{there.dispatch.directive_id}/")


@pytest.mark.long
def test_an_office_that_cannot_prove_who_it_is_gets_nothing(there, server, admin, tmp_path):
    other = ensure_identity(tmp_path / "other", ["localhost"], datetime.datetime.now(datetime.UTC))
    there.address(admin, server.server_address[1], other.authority.read_text())
    server.answer = there.receipt()
    Courier().go_on(there.now)

    assert (there.delivery().trouble, server.came) == ("insecure", [])


@pytest.mark.long
def test_an_office_that_is_away_is_tried_with_one_message_at_a_time(there, server, admin):
    there.address(admin, server.server_address[1], server.authority)
    server.shutdown()
    server.server_close()
    Courier().go_on(there.now)

    assert there.delivery().trouble == "unreachable"


@pytest.mark.long
def test_a_refusal_is_final_until_a_clerk_sends_again(there, server, clerk):
    server.answer = there.receipt(Outcome.REFUSED, "edxml_not_for_us")
    courier = Courier()
    courier.go_on(there.now)
    courier.go_on(there.now + datetime.timedelta(days=1))
    refused = there.delivery()
    assert (refused.state, refused.trouble, len(server.came)) == ("refused", "edxml_not_for_us", 1)
    assert "không phục vụ cơ quan này" in page(clerk, "/exchange/")

    server.answer = there.receipt()
    client = Client()
    client.force_login(clerk)
    assert client.post(f"/exchange/deliveries/{refused.pk}/again/").status_code == 302
    courier.go_on(timezone.now())
    assert there.delivery().state == "taken"
    assert server.came[0] == server.came[1]


@pytest.mark.long
def test_more_time_recall_from_one_and_recall_of_all_follow_in_their_order(there, server, clerk):
    server.answer = there.receipt()
    courier = Courier()
    courier.go_on(there.now)
    there.dispatch.directive.tasks.first().parties.filter(agency=there.ward).update(due=timezone.localdate())
    collect(there.now)
    collect(there.now)
    recipient_changes.recall_from(there.dispatch, "Gửi nhầm", clerk, there.now)
    collect(there.now)
    approval.revoke(there.dispatch.directive, "Ban hành nhầm", clerk, there.now)
    collect(there.now)
    matters = list(there.dispatch.deliveries.values_list("matter", flat=True))

    assert [matter.split()[0] for matter in matters] == ["document", "update", "state"]
    assert there.dispatch.deliveries.last().file.status == "13"
    for _ in matters:
        courier.go_on(there.now)
    assert [b"BussinessDocType>2<" in one or b"StatusCode>13<" in one for one in server.came] == [False, True, True]


@pytest.mark.long
def test_nothing_goes_to_an_office_whose_certificate_was_removed(there, server, admin):
    server.answer = there.receipt()
    collect(there.now)
    partners.remove(partners.holding(partners.fingerprint(there.signer.certificate), "05.28.22.H17"), admin, there.now)

    assert Courier().go_on(there.now) == 0
    assert (server.came, there.delivery().state) == ([], "waiting")


@pytest.mark.long
@pytest.mark.parametrize(
    "url",
    [
        "http://office.example",
        "https://",
        "https://user@office.example",
        "https://office.example/path",
        "https://office.example:port",
        "ftp://office.example",
    ],
)
def test_an_address_is_an_https_origin(there, admin, url):
    with pytest.raises(partners.AddressUnfit):
        partners.set_address(there.ward, url, "", admin, there.now)


@pytest.mark.long
def test_an_administrator_sets_and_ends_an_address(there, admin):
    client = Client()
    client.force_login(admin)
    session = client.session
    session["second_factor_at"] = int(timezone.now().timestamp())
    session.save()
    address = f"/exchange/addresses/{there.ward.pk}/"

    assert client.post(address, {"url": "https://vanthu.example:443"}).status_code == 302
    assert PartnerAddress.objects.get(agency=there.ward).url == "https://vanthu.example"
    assert "https://vanthu.example" in client.get("/exchange/certificates/").content.decode()
    wrong = client.post(address, {"url": "https://vanthu.example", "authority": "-----BEGIN CERTIFICATE-----"})
    assert wrong.status_code == 422
    assert client.post(address, {"url": ""}).status_code == 302
    assert not PartnerAddress.objects.exists()


@pytest.mark.long
def test_the_copy_of_a_refused_message_goes_after_a_month_and_its_clerk_is_told_of_it_before(there, server, clerk):
    server.answer = there.receipt(Outcome.REFUSED, "edxml_not_for_us")
    courier = Courier()
    courier.go_on(there.now)
    refused = there.delivery()
    waits = [one for one in matters_of(clerk, there.now) if one.url == "/exchange/"]
    assert [one.act for one in waits] == ["Đọc lý do"]

    retention.purge(refused.settled_at + retention.REFUSED_LIFE)
    refused = there.delivery()
    assert (refused.content, refused.state, refused.trouble) == (None, "refused", "edxml_not_for_us")
    assert "Gửi ngay" not in page(clerk, "/exchange/")
    send_again(refused, there.now)
    assert there.delivery().state == "refused"


@pytest.mark.long
def test_what_waits_for_hours_waits_for_its_clerk_and_is_measured(there, server, clerk):
    server.answer = plain(503, b"")(there)
    Courier().go_on(there.now)
    later = there.now + CARRIED_WITHIN

    assert not [one for one in matters_of(clerk, later - MINUTE) if one.url == "/exchange/"]
    assert [one for one in matters_of(clerk, later) if one.url == "/exchange/"]
    assert Delivery.overdue(there.now).count() == 1
    assert Delivery.overdue(there.now - MINUTE).count() == 0
    PartnerAddress.objects.all().delete()
    assert Delivery.overdue(there.now).count() == 0, "nothing is on its way to an office without an address"
