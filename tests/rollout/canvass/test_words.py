# SPDX-License-Identifier: Apache-2.0
"""The words of the canvass app: Vietnamese and English side by side, none missing for what can be chosen or refused."""

import re

import pytest

from bluezone.rollout.canvass.households.facts import SkipReason
from bluezone.rollout.canvass.models import AsideReason, LeaseEnd
from bluezone.rollout.canvass.visits.endpoints import HERE

_PAIR = re.compile(r'(?:"([\w.]+)"|\b(\w+)): "((?:[^"\\]|\\.)*)"')
SOURCES = [path for path in HERE.rglob("*.js") if path.parent.name != "words"]


def words(language):
    text = (HERE / "words" / f"{language}.js").read_text(encoding="utf-8")
    pairs = [(quoted or bare, said) for quoted, bare, said in _PAIR.findall(text)]
    assert len(pairs) == len(dict(pairs)), "a key stands twice"
    return dict(pairs)


def test_both_languages_have_the_same_keys_and_places():
    vi, en = words("vi"), words("en")
    assert len(vi) > 100
    assert set(vi) == set(en)
    for key in vi:
        places = [set(re.findall(r"\{[a-z_]+\}", one[key])) for one in (vi, en)]
        assert places[0] == places[1], key
        assert vi[key].strip(), key
    same = {key for key in vi if vi[key] == en[key]}
    assert same <= {"disease"}, same


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("skip", SkipReason.values),
        # A photograph's refusal is told by its own code, which the answer to the photograph carries.
        ("refusal", [*set(AsideReason.values) - {AsideReason.PHOTO_TOO_LARGE}, "canvass_photo_too_large"]),
        ("ended", LeaseEnd.values),
    ],
)
def test_whatever_can_be_chosen_or_refused_has_its_words(kind, values):
    missing = {f"{kind}.{value}" for value in values if value} - set(words("vi"))
    assert not missing


def test_every_key_that_a_screen_asks_for_exists():
    vi, asked = words("vi"), set()
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"""(?:\bapp\.|\bthis\.|\b)t\("([a-z][\w.]*)\"""", text))
        asked |= {f"{name}.other" for name in re.findall(r"""\b(?:app|this)\.n\("([\w.]+)\"""", text)}
    assert len(asked) > 50
    assert asked <= set(vi), asked - set(vi)
