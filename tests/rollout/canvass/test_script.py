# SPDX-License-Identifier: Apache-2.0
"""The script and outcomes of a city: its own file or the shipped one, counted as before whatever they are called."""

import json
from pathlib import Path

import pytest
from django.test import Client

from bluezone.rollout.canvass.households.facts import Outcome
from bluezone.rollout.canvass.models import Aside, Household, Visit
from bluezone.rollout.canvass.visits import script
from bluezone.rollout.canvass.visits.script import ScriptUnreadable, in_force, read_script, schema, shipped
from bluezone.web import settings_public

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "canvass-script.schema.json"


def own_script(**later):
    """The shipped one with an outcome more: they will install tonight, which counts as a leaflet left."""
    said = json.loads(script.SHIPPED.read_text(encoding="utf-8"))
    said["outcomes"].append({"key": "tonight", "counts_as": "leaflet", "label": {"vi": "Tối sẽ cài", "en": "Tonight"}})
    return said


@pytest.fixture
def write(settings, tmp_path):
    """Writes the city's file."""
    settings.DATA_FOLDER = tmp_path

    def put(said):
        path = tmp_path / script.FILE
        path.parent.mkdir(exist_ok=True)
        path.write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")

    return put


def test_the_shipped_script_names_every_outcome_in_both_languages_and_what_to_offer_without_a_smartphone():
    found = shipped().script

    assert {one.key for one in found.outcomes} == set(Outcome.values)
    assert all(one.key == one.counts_as for one in found.outcomes)
    assert all(one.label.vi != one.label.en for one in found.outcomes)
    (without,) = (one for one in found.outcomes if one.key == "no_smartphone")
    assert [offer.key for offer in without.offers] == ["paper_card", "relative", "declined"]
    assert len(found.steps) >= 4


def test_the_schema_beside_the_documents_is_that_of_the_reader():
    now = json.loads(json.dumps(schema()))

    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == now, "write it anew from visits.script.schema()"


def test_a_city_puts_its_own_file_in_and_takes_it_out_again(write, tmp_path):
    before = in_force()
    write(own_script())
    own = in_force()
    (tmp_path / script.FILE).unlink()

    assert "tonight" in {one.key for one in own.script.outcomes}
    assert own.as_of != before.as_of
    assert in_force() == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda said: said["outcomes"].pop(0), "length >= 9|counts as installed"),
        (lambda said: said["outcomes"].append(said["outcomes"][0]), "twice"),
        (lambda said: said["outcomes"][0].update(counts_as="ill"), "ill"),
        (lambda said: said["outcomes"][0].update(key="Vừa cài"), "regex"),
        (lambda said: said["outcomes"][0]["label"].pop("en"), "en"),
        (lambda said: said.update(health=[]), "health"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_place_where_it_is_wrong(write, spoil, words):
    said = own_script()
    spoil(said)
    with pytest.raises(ScriptUnreadable, match=words):
        read_script(json.dumps(said).encode())
    write(said)

    assert in_force().script == shipped().script
    assert in_force().trouble


def test_the_page_of_house_visits_says_that_the_file_cannot_be_used(write, client, officer):
    write("{")
    text = client.get("/canvass/").text

    assert "script for house visits cannot be used" in text
    assert "canvass/script.json" in text


def test_a_phone_gets_the_script_once_and_anew_when_it_changes(write, public, phone):
    first = phone.call(public).json()
    again = phone.call(public, script=first["script_as_of"]).json()
    write(own_script())
    changed = phone.call(public, script=first["script_as_of"]).json()

    assert first["script"]["outcomes"][0]["key"] == "installed"
    assert again["script"] is None
    assert changed["script"]["outcomes"][-1]["key"] == "tonight"


def test_an_outcome_of_the_city_is_counted_as_what_it_counts_as(write, client, phone, officer, settings):
    write(own_script())
    office, settings.ROOT_URLCONF = settings.ROOT_URLCONF, settings_public.ROOT_URLCONF
    first, second, third = Household.objects.all()
    said = phone.call(
        Client(),
        phone.entry(first, "leaflet", answer="tonight"),
        phone.entry(second, "no_smartphone", answer="no_smartphone", phones=0, offered=["paper_card", "relative"]),
        phone.entry(third, "no_smartphone", answer="gone_since", phones=0, offered=["paper_card"]),
    ).json()
    settings.ROOT_URLCONF = office

    assert {one["state"] for one in said["verdicts"]} == {"stored"}
    assert dict(Visit.objects.values_list("answer", "outcome")) == {
        "tonight": "leaflet", "no_smartphone": "no_smartphone", "gone_since": "no_smartphone",
    }  # fmt: skip
    assert Household.objects.filter(reached_at__isnull=False).count() == 3
    page = " ".join(client.get(f"/canvass/households/{second.pk}/").text.split())
    assert "Paper card given, A relative will pass on warnings" in page
    assert "Tonight" in client.get(f"/canvass/households/{first.pk}/").text
    overview = " ".join(client.get("/canvass/").text.split())
    assert '2 households without a smartphone · Paper card given: <span class="num">2</span>' in overview


@pytest.mark.parametrize(
    "more", [{"answer": "A B"}, {"answer": 5}, {"offered": "x"}, {"offered": ["x"] * 7}, {"offered": [""]}]
)
def test_an_answer_that_is_no_key_is_kept_aside(public, phone, more):
    phone.call(public, phone.entry(Household.objects.first(), "no_smartphone", **more))

    assert [one.reason for one in Aside.objects.all()] == ["unreadable"]
