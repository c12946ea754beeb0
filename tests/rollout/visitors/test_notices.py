# SPDX-License-Identifier: Apache-2.0
"""The desk of a house: whom it may tell, what it sees afterwards, and what it never sees again."""

import datetime
import re

import pytest
from django.utils import timezone
from tests.builders.directives import person
from tests.builders.drawn import remove_random_words
from tests.builders.office import user
from tests.messaging.sms.test_sender import go_on_until, settled

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry
from bluezone.messaging.sms.models import Message
from bluezone.messaging.sms.opt_outs import opt_out
from bluezone.rollout.coverage.api import registered_indicators
from bluezone.rollout.report_week import Week
from bluezone.rollout.visitors import queries, retention
from bluezone.rollout.visitors.models import Notice, NoticeDay

pytestmark = pytest.mark.django_db
NUMBER = "+447700900123"
YES = {"phone": NUMBER, "language": "", "consent": "on"}


def page(client, **asked):
    return client.get("/visitors/", asked).content.decode()


def test_a_notice_is_queued_and_its_state_shown_without_the_number(desk, hotel, centre, sender):
    answer = desk.post("/visitors/", YES)
    assert answer.status_code == 302
    waiting = page(desk)
    go_on_until(sender, settled)
    shown = page(desk)

    assert "đang chờ" in waiting
    assert "đã đến máy" in shown
    for seen in (waiting, shown):
        assert not re.search(r"7700|0123\b", remove_random_words(seen))
    assert [one["to"] for one in centre.taken] == [NUMBER[1:]]
    assert Notice.objects.get().language == "en", "by the prefix"


def test_the_language_can_be_chosen_against_the_prefix(desk, centre, sender):
    desk.post("/visitors/", {**YES, "language": "vi"})
    go_on_until(sender, settled)

    assert "mời quý khách cài Bluezone" in centre.taken[0]["text"]


def test_without_a_yes_or_a_number_nothing_is_queued(desk, centre):
    no = desk.post("/visitors/", {**YES, "consent": ""})
    bad = desk.post("/visitors/", {**YES, "phone": "0912"})

    assert (no.status_code, bad.status_code) == (422, 422)
    assert "Hãy hỏi khách trước" in no.content.decode()
    assert "Không gửi được tin đến số này" in bad.content.decode()
    assert not Notice.objects.exists()
    assert not Message.objects.exists()


def test_one_notice_a_stay_whichever_house_and_none_to_who_opted_out(desk, hotel, centre):
    desk.post("/visitors/", YES)
    again = desk.post("/visitors/", {**YES, "phone": "0044 7700 900123"})
    opt_out("+4915112345678")
    never = desk.post("/visitors/", {**YES, "phone": "+49 151 12345678"})

    assert (again.status_code, never.status_code) == (409, 409)
    assert "đã nhận" in again.content.decode()
    assert "không muốn nhận" in never.content.decode()
    assert NUMBER not in again.content.decode()
    assert Notice.objects.count() == 1


def test_a_city_without_operator_and_a_spent_budget_say_what_to_do_instead(desk, centre, settings):
    settings.SMS = None
    answer = desk.post("/visitors/", YES)

    assert answer.status_code == 409
    assert "tấm thẻ có mã" in answer.content.decode()


def test_another_house_is_not_to_be_had_and_the_ward_has_its_own(client, desk, hotel, centre, server):
    other = Agency.objects.get(key="ubnd-phuong-song-cau")
    Agency.objects.filter(pk=other.pk).update(valid_to=None)
    assert desk.post(f"/visitors/?house=a{other.pk}", YES).status_code == 404
    assert desk.get(f"/visitors/a{other.pk}/states/").status_code == 404
    client.force_login(person("officer", "officer", other))
    assert client.post(f"/visitors/?house=a{other.pk}", YES).status_code == 302
    assert client.post(f"/visitors/?house=a{hotel.pk}", YES).status_code == 404

    assert list(Notice.objects.values_list("house", flat=True)) == [f"a{other.pk}"]


def test_who_runs_a_registered_venue_works_for_it_alone_though_the_role_is_for_the_ward(client, hotel, centre, server):
    from bluezone.rollout.venues.models import Venue, VenueKind, VenueState

    owner = user("venue-1", "venue_owner", within=hotel.unit, factor=False)
    inn = Venue.objects.create(
        name="Nhà nghỉ Sông Cầu", address="Tổ 5", kind=VenueKind.OTHER, unit=hotel.unit, owner=owner,
        handle="a" * 22, state=VenueState.APPROVED,
    )  # fmt: skip
    client.force_login(owner)
    assert "Nhà nghỉ Sông Cầu" in page(client)
    assert "Khách sạn Bắc Kạn" not in page(client)
    assert client.post(f"/visitors/?house=a{hotel.pk}", YES).status_code == 404
    assert client.post(f"/visitors/?house=v{inn.pk}", YES).status_code == 302
    assert Notice.objects.get().house == f"v{inn.pk}"
    assert "Nhà nghỉ Sông Cầu" in client.get("/visitors/week/").content.decode()
    Venue.objects.filter(pk=inn.pk).update(state=VenueState.CLOSED)

    assert client.post(f"/visitors/?house=v{inn.pk}", YES).status_code == 200, "no house left: the page says so"
    assert Notice.objects.count() == 1


def test_in_training_mode_nothing_is_queued_and_nothing_counted(desk, hotel, centre):
    session = desk.session
    session["training"] = True
    session.save()
    assert desk.post("/visitors/", YES).status_code == 302
    shown = page(desk)

    assert "thực hành, không gửi" in shown
    assert not Message.objects.exists()
    assert not Notice.objects.exists()
    assert Notice.everything.get().training
    assert not AuditEntry.objects.filter(action="visitor_told").exists()
    assert queries.week_of_houses(timezone.localdate(), timezone.localdate()) == []


def test_the_audit_tells_of_the_house_and_nobodys_number(desk, hotel, centre):
    desk.post("/visitors/", YES)
    entry = AuditEntry.objects.get(action="visitor_told")

    assert (entry.actor, entry.subject, entry.details) == ("desk", hotel.key, {})
    assert hash_chain.verify_chain().broken_at is None


def test_coverage_shows_delivered_of_asked_for_as_attested(desk, hotel, centre, sender):
    week = Week.of(timezone.localdate())
    for number in range(6):
        desk.post("/visitors/", {**YES, "phone": f"+84912345{number:03}"})
    centre.change(statuses={"84912345000": 0x0B})
    go_on_until(sender, settled)
    indicator = next(one for one in registered_indicators() if one.key == "visitor-notices")
    figure = next(iter(indicator.figures(week)))

    assert (figure.count, figure.base, figure.agency_id) == (5, 6, hotel.pk)
    assert indicator.proof.value == "attested"
    assert not indicator.of_phones
    shown = desk.get(indicator.rows_address(hotel.unit_id, week)).content.decode()
    assert "Khách sạn Bắc Kạn" in shown
    # The sentence for the directive's report on clause 5, and the weeks beside stay with the unit.
    assert "yêu cầu gửi 6 thông báo cho khách du lịch" in shown
    assert "đã đến máy 5, không đến máy 1, không rõ 0" in shown
    assert f"unit={hotel.unit_id}&amp;week={week.previous}" in shown


def test_the_page_of_a_week_keeps_a_small_number_of_another_house_back(client, desk, hotel, centre, server):
    desk.post("/visitors/", YES)
    own = desk.get("/visitors/week/").content.decode()
    assert "không công bố" not in own
    assert "yêu cầu gửi 1 thông báo" in own
    assert f"/visitors/week/?week={Week.of(timezone.localdate())}</p>" in own
    client.force_login(person("leader", "leader"))

    shown = client.get("/visitors/week/").content.decode()
    assert "không công bố" in shown
    assert "yêu cầu gửi" not in shown, "the sum of what is kept back would say it"


def test_rows_become_sums_after_thirty_days_and_say_no_more_of_anybody(desk, hotel, centre, sender):
    desk.post("/visitors/", YES)
    go_on_until(sender, settled)
    now = timezone.now()
    before = queries.week_of_houses(timezone.localdate(), timezone.localdate())
    retention.purge(now + datetime.timedelta(days=30))
    assert Notice.objects.count() == 1
    retention.purge(now + datetime.timedelta(days=31))

    assert Notice.objects.count() == 0
    assert [(one.state, one.count) for one in NoticeDay.objects.all()] == [("delivered", 1)]
    assert queries.week_of_houses(timezone.localdate(), timezone.localdate()) == before


def test_the_number_is_nowhere_in_the_store_once_the_message_has_left(desk, hotel, centre, sender):
    from django.db import connection

    desk.post("/visitors/", YES)
    assert desk.session.session_key
    go_on_until(sender, settled)
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            found += [table for row in cursor.fetchall() if "7700900123" in "".join(map(str, row))]

    assert found == []


def test_cards_are_printed_with_the_short_link(desk, centre):
    import pypdfium2
    import zxingcpp

    for kind, width in (("desk", 105), ("station", 210)):
        answer = desk.get(f"/visitors/card/{kind}.pdf")
        sheet = pypdfium2.PdfDocument(answer.content)
        assert len(sheet) == 1
        assert round(sheet[0].get_width() / 72 * 25.4) == width
        words = "".join(sheet[0].get_textpage().get_text_bounded().split())
        vietnamese = "Biết sớm khi từng ở cùng địa điểm với người mắc COVID-19"
        for told in (vietnamese, "Find out early if you were at the same place as a COVID-19 case"):
            assert told.replace(" ", "") in words
        codes = zxingcpp.read_barcodes(sheet[0].render(scale=2).to_pil().convert("L"))
        assert [code.text for code in codes] == ["http://localhost:8000/k"]


def test_who_enters_a_number_on_the_public_page_gets_nothing_more(public):
    assert "Không nhận tin nữa" in public.get("/k").content.decode()
    assert public.post("/k/stop", {"phone": "12"}).status_code == 422
    elsewhere = public.post("/k/stop", {"phone": NUMBER}, headers={"origin": "https://elsewhere.example"})
    assert elsewhere.status_code == 403
    done = public.post("/k/stop", {"phone": NUMBER})

    assert done.status_code == 200
    assert NUMBER not in done.content.decode()
    assert done.content == public.post("/k/stop", {"phone": NUMBER}).content, "whether it was known is not told"
    for _ in range(9):
        last = public.post("/k/stop", {"phone": NUMBER})
    assert last.status_code == 429


def test_the_page_for_a_houses_wifi_needs_no_script_and_names_the_address(public):
    shown = public.get("/wifi").content.decode()

    assert "localhost:8000/k" in shown
    assert "Chào quý khách" in shown
    assert "Welcome" in shown
