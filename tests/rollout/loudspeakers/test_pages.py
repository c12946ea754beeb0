# SPDX-License-Identifier: Apache-2.0
"""The page of a zone, on which several people of an agency set volume and quiet hours."""

import datetime
import re

import pytest
from django.utils import timezone
from tests.builders.bulletins import approved_bulletin, machine, make_people, zone
from tests.builders.devices import agency
from tests.builders.office import user

from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.loudspeakers.models import Unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(user("loa", "speaker_operator", within=agency(), factor=False))
    return client


def sealed(page, address):
    """What the form of an address showed."""
    return re.search(rf'action="{address}".*?name="shown" value="([^"]+)"', page.text, re.DOTALL)[1]


@pytest.mark.long
def test_of_two_who_set_a_zone_neither_loses_what_the_other_has_set(operator):
    place = zone()
    page, act = f"/loudspeakers/{place.pk}/", f"/loudspeakers/{place.pk}/set/"
    shown = sealed(operator.get(page), act)
    before = {"volume": 80, "quiet_from": "21:00", "quiet_to": "05:00", "shown": shown}
    assert operator.post(act, {**before, "volume": 40, "quiet_to": "06:30"}).status_code == 302
    second = operator.post(act, {**before, "volume": 60})

    assert second.status_code == 409
    assert [one.stored for one in second.context["setting_form"].clashes] == ["40"]
    said = second.context["setting_form"].non_field_errors()[0]
    assert second.text.count(said) == 2, "it is said at the top, too; the form stands far down the page"
    assert 'value="06:30"' in second.text, "the hour that only the first has set is brought in"
    assert f'href="{page}?on=' in second.text, "the page leads on although it answers another address"
    place.refresh_from_db()
    assert place.volume == 40, "nothing of the second is stored yet"

    again = {**before, "volume": 60, "quiet_to": "06:30", "shown": sealed(second, act)}
    assert operator.post(act, again).status_code == 302
    place.refresh_from_db()
    assert (place.volume, place.outlet.quiet_to) == (60, datetime.time(6, 30))


@pytest.mark.long
def test_of_two_who_set_one_machine_the_second_is_shown_what_the_first_has_set(operator):
    place = zone()
    one, other = (machine(place, name)[0] for name in ("Loa 1", "Loa 2"))
    act = f"/loudspeakers/machines/{one.pk}/volume/"
    shown = sealed(operator.get(f"/loudspeakers/{place.pk}/"), act)
    assert operator.post(act, {"volume": 30, "shown": shown}).status_code == 302
    second = operator.post(act, {"volume": 90, "shown": shown})

    assert second.status_code == 409
    assert {unit.pk: [clash.stored for clash in form.clashes] for unit, _state, form in second.context["units"]} == {
        one.pk: ["30"],
        other.pk: [],
    }
    assert Unit.objects.get(pk=one.pk).volume == 30, "nothing of the second is stored yet"
    assert operator.post(act, {"volume": 90, "shown": sealed(second, act)}).status_code == 302
    assert Unit.objects.get(pk=one.pk).volume == 90


def sounding(place):
    """An emergency that was ordered just now."""
    now = timezone.now()
    alarm = approved_bulletin("emergency", "Lũ về", seconds=2.0, now=now)
    return timetable.air_at_once(alarm, [place.outlet], ["vi"], make_people()[0], now)


def test_who_may_air_at_a_zone_stops_there_what_sounds(operator):
    place = zone()
    made = sounding(place)
    page = f"/loudspeakers/{place.pk}/"
    assert "Dừng phát tại đây" in operator.get(page).text
    answer = operator.post(f"{page}stop/?schedule={made.pk}")
    assert (answer.status_code, answer.url) == (302, page)
    made.refresh_from_db()

    assert made.stopped_at is not None
    assert "Dừng phát tại đây" not in operator.get(page).text
    assert operator.post(f"{page}stop/?schedule=0").status_code == 404


@pytest.mark.parametrize("is_lent", [True, False])
def test_an_editor_of_another_agency_stops_what_sounds_only_where_it_may_air(client, is_lent):
    place = zone()
    made = sounding(place)
    theirs = agency("Đài truyền thanh")
    if is_lent:
        place.outlet.lent_to.set([theirs])
    client.force_login(user("khach", "editor", within=theirs))
    page = client.get(f"/loudspeakers/{place.pk}/").text
    answer = client.post(f"/loudspeakers/{place.pk}/stop/?schedule={made.pk}")

    assert ("Dừng phát tại đây" in page) is is_lent
    assert answer.status_code == (302 if is_lent else 403)
