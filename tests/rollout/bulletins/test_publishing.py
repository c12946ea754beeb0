# SPDX-License-Identifier: Apache-2.0
"""What leaves for the press: RSS, iCalendar (read by ical.js, not ours), press kit, files for a memory stick."""

import datetime
import io
import json
import subprocess
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from lxml import etree
from tests.builders.bulletins import NOW, approved_bulletin, make_people, schedule_bulletin, station, zone
from tests.devices.conftest import public

from bluezone.rollout.bulletins.air import press as bulletins_calendar
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.air.air_log import airings_between
from bluezone.rollout.bulletins.air.press import write_calendar
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.models import Schedule
from bluezone.rollout.bulletins.texts import scripts

__all__ = ["public"]
pytestmark = pytest.mark.django_db
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
VENDOR = Path(__file__).with_name("vendor")
# Prints every occurrence of every event as local wall-clock time, as ical.js expands it.
READER = """
import ICAL from %s;
import { readFileSync } from "node:fs";
const parsed = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
for (const zone of parsed.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(new ICAL.Timezone(zone));
const found = [];
for (const one of parsed.getAllSubcomponents("vevent")) {
  const event = new ICAL.Event(one);
  const expansion = event.iterator();
  for (let next; (next = expansion.next()) && found.length < 5000; )
    found.push([next.toString(), event.summary, event.location, event.duration.toSeconds()]);
}
console.log(JSON.stringify(found.sort()));
"""


def read_calendar(content):
    script = READER % json.dumps((VENDOR / "ical.min.mjs").as_uri())
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], input=content, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def local(moments, zone):
    return [f"{one.astimezone(zone):%Y-%m-%dT%H:%M:%S}" for one in moments]


@pytest.mark.long
def test_an_independent_reader_sees_exactly_the_airings_of_the_rule(client, public):
    bulletin = approved_bulletin(seconds=2.0, title="Cài Bluezone; bật Bluetooth, nhé")
    place, radio = zone("Tổ 5, nhà văn hóa").outlet, station()
    # The page leaves out what is over, by the machine's clock.
    year = timezone.localdate().year + 1
    first, last = datetime.date(year, 8, 31), datetime.date(year, 9, 30)
    left_out = frozenset({datetime.date(year, 9, 2)})
    schedule_bulletin(bulletin, place, times=("05:30", "17:00"), first=first, last=last, exceptions=left_out)
    schedule_bulletin(bulletin, radio, times=("06:15",), first=first, last=last, weekdays=frozenset({0, 4}))

    answer = client.get("/bulletins/air-plan.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    assert max(map(len, answer.content.split(b"\r\n"))) <= 75
    seen = read_calendar(answer.content)

    wanted = []
    for one in Schedule.objects.all():
        moments = one.rule.moments(NOW, NOW + datetime.timedelta(days=5000), HANOI)
        wanted += local(moments, HANOI)
    assert [one[0] for one in seen] == sorted(wanted)
    assert seen[-1][0] <= f"{year}-09-30T17:00:00"
    assert {one[1] for one in seen} == {"Cài Bluezone; bật Bluetooth, nhé"}
    assert {one[2] for one in seen} == {"Tổ 5, nhà văn hóa", "Đài tỉnh"}
    assert client.get("/bulletins/air-plan.ics", HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304


@pytest.mark.long
def test_a_weekly_rule_that_begins_on_another_day_begins_on_its_own():
    bulletin, wanted, made = approved_bulletin(seconds=2.0), [], []
    for first in range(1, 8):
        rule = Rule(datetime.date(2020, 9, first), datetime.date(2020, 9, 30), (datetime.time(6),), frozenset({2}))
        radio = station(f"Đài {first}")
        made.append((timetable.schedule_airings(bulletin, [radio], ["vi"], rule, make_people()[0], NOW), 2.0))
        moments = local(rule.moments(NOW, NOW + datetime.timedelta(days=99), HANOI), HANOI)
        wanted += [[moment, radio.name] for moment in moments]

    seen = read_calendar(write_calendar(made, "Lịch", "bluezone.example", HANOI, NOW))

    assert [[one[0], one[2]] for one in seen] == sorted(wanted)


@pytest.mark.long
def test_rss_holds_to_its_schema_and_leads_to_sound_and_press_kit(client, public):
    bulletin = approved_bulletin(seconds=2.0, title='Cài <Bluezone> & "bật" Bluetooth')
    withdrawn = approved_bulletin(seconds=2.0, title="Rút lại")
    scripts.withdraw_bulletin(withdrawn, "Sai", make_people()[0], NOW)
    answer = client.get("/bulletins/rss.xml")

    feed = etree.fromstring(answer.content)
    check_rss(feed)
    (item,) = feed.findall("channel/item")
    assert item.findtext("title") == bulletin.title
    enclosure = item.find("enclosure")
    sound = client.get(f"/bulletins/{bulletin.pk}/vi.mp3")
    assert int(enclosure.get("length")) == len(sound.content)
    kit = zipfile.ZipFile(io.BytesIO(client.get(f"/bulletins/{bulletin.pk}/press-kit.zip").content))
    assert kit.testzip() is None
    assert sorted(kit.namelist()) == ["ban-tin-vi.mp3", "ban-tin-vi.txt", "ban-tin.pdf"]
    assert kit.read("ban-tin-vi.mp3") == sound.content
    assert "Kính thưa bà con" in kit.read("ban-tin-vi.txt").decode()
    assert kit.read("ban-tin.pdf").startswith(b"%PDF-")
    for path in ("press-kit.zip", "vi.mp3"):
        assert client.get(f"/bulletins/{withdrawn.pk}/{path}").status_code == 404
    assert client.get(f"/bulletins/{bulletin.pk}/tay.mp3").status_code == 404


def check_rss(feed):
    """Against what RSS 2.0 demands of a channel and its items; libxml2 reads it, none of our code does."""
    schema = """<grammar xmlns="http://relaxng.org/ns/structure/1.0"
      datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes" xmlns:atom="http://www.w3.org/2005/Atom"><start>
      <element name="rss"><attribute name="version"><value>2.0</value></attribute><element name="channel">
      <element name="title"><text/></element><element name="link"><data type="anyURI"/></element>
      <element name="description"><text/></element><element name="language"><text/></element>
      <element name="atom:link"><attribute name="href"><data type="anyURI"/></attribute>
        <attribute name="rel"><value>self</value></attribute><attribute name="type"><text/></attribute></element>
      <zeroOrMore><element name="item"><element name="title"><text/></element>
        <element name="link"><data type="anyURI"/></element>
        <element name="guid"><attribute name="isPermaLink"><value>false</value></attribute><text/></element>
        <element name="pubDate"><data type="string"><param name="pattern"
          >(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT</param></data></element>
        <element name="category"><text/></element><element name="description"><text/></element>
        <optional><element name="enclosure"><attribute name="url"><data type="anyURI"/></attribute>
          <attribute name="length"><data type="positiveInteger"/></attribute>
          <attribute name="type"><value>audio/mpeg</value></attribute></element></optional>
      </element></zeroOrMore></element></element></start></grammar>"""
    etree.RelaxNG(etree.fromstring(schema)).assertValid(feed)


def test_files_for_a_memory_stick_are_in_the_order_in_which_they_are_played():
    bulletin = approved_bulletin(seconds=2.0, title="Cài đặt Bluezone")
    place = zone(by_hand=True).outlet
    schedule_bulletin(bulletin, place, times=("05:30", "17:30"))
    airings = list(airings_between(NOW, NOW + datetime.timedelta(days=2), None, place.pk))

    stick = zipfile.ZipFile(io.BytesIO(bulletins_calendar.stick_files(airings, b"%PDF-")))

    assert stick.namelist() == [
        "000-lich-phat.pdf", "001-0810-17h30-Cai-dat-Bluezone-vi.mp3", "002-0811-05h30-Cai-dat-Bluezone-vi.mp3",
        "003-0811-17h30-Cai-dat-Bluezone-vi.mp3", "004-0812-05h30-Cai-dat-Bluezone-vi.mp3",
    ]  # fmt: skip
