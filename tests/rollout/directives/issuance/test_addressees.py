# SPDX-License-Identifier: Apache-2.0
"""Whom the lines of a letter mean: exactly those whom they name, and nobody by likeness."""

import datetime
import unicodedata

import pytest
from tests.builders.agencies import agency_values
from tests.builders.directives import NOW, city, issue_letter, person

from bluezone.directory.models import Agency, RecipientGroup
from bluezone.directory.records.changes import save_agency
from bluezone.rollout.directives.issuance import addressees, recipient_changes
from bluezone.rollout.directives.issuance.addressees import (
    Directory,
    RecipientEnded,
    RecipientUnknown,
    RecipientUnsure,
    channels,
    key_of,
)
from bluezone.rollout.directives.models import Channel, TaskParty

TODAY = NOW.date()


@pytest.fixture
def committee(db):
    return city()


def entered(unit, name, **more):
    return save_agency("test", None, agency_values(unit, name=name, kind="committee", **more))


def names(meaning):
    return [one.name for one in meaning.agencies]


@pytest.mark.parametrize(
    "written",
    [
        "Hội Nông dân thành phố",
        "HỘI NÔNG DÂN  THÀNH PHỐ",
        unicodedata.normalize("NFD", "Hội Nông dân thành phố"),
        "Hội Nông dân",  # the issuer's own level left out
    ],
)
def test_case_form_and_spacing_are_no_other_name(committee, written):
    assert names(Directory.of(TODAY, committee).meant_by(written)) == ["Hội Nông dân thành phố"]


def test_the_place_of_the_tone_is_no_other_name_and_the_tone_is(committee):
    directory = Directory.of(TODAY, committee)

    assert names(directory.meant_by("Phòng Văn hoá và Thông tin")) == ["Phòng Văn hóa và Thông tin thành phố"]
    assert directory.meant_by("Phòng Văn hỏa và Thông tin").refusal is RecipientUnsure


def test_two_agencies_whose_names_differ_in_a_diacritic_are_two(committee):
    first, second = (entered(committee.unit, f"Ủy ban nhân dân xã {name}") for name in ("Yên Thịnh", "Yên Thỉnh"))
    found = Directory.of(TODAY, committee).expand("UBND xã Yên Thịnh\nUBND xã Yên Thỉnh")

    assert found == [first, second]


def test_another_level_is_asked_about_even_where_one_agency_is_near(committee):
    directory = Directory.of(TODAY, committee)
    meaning = directory.meant_by("Công an tỉnh")

    assert (names(meaning), meaning.refusal) == ([], RecipientUnsure)
    assert [one.name for one in meaning.candidates] == ["Công an thành phố"]
    with pytest.raises(RecipientUnsure) as unsure:
        directory.expand("Hội Nông dân thành phố\nCông an tỉnh")
    assert unsure.value.names == ("Công an tỉnh",)


def test_two_agencies_of_one_name_are_chosen_between(committee):
    health = [entered(committee.unit, "Trạm Y tế lưu động") for _ in range(2)]
    unchosen, chosen = (
        Directory.of(TODAY, committee, choices) for choices in ({}, {key_of("Trạm Y tế lưu động"): health[1].pk})
    )

    assert list(unchosen.meant_by("Trạm Y tế lưu động").candidates) == health
    assert chosen.expand("Trạm y tế lưu động") == [health[1]]


def test_an_agency_that_ended_is_refused_and_its_successor_offered(committee):
    heir = entered(committee.unit, "Ủy ban nhân dân phường Bắc Kạn")
    Agency.objects.filter(key="ubnd-phuong-song-cau").update(valid_to=TODAY)
    ended = Agency.objects.get(key="ubnd-phuong-song-cau")
    ended.took_over.create(successor=heir, day=TODAY)
    meaning = Directory.of(TODAY, committee).meant_by("UBND phường Sông Cầu")

    assert (meaning.refusal, meaning.candidates, meaning.ended) == (RecipientEnded, (heir,), (ended,))
    wards = RecipientGroup.objects.get(key="ubnd-xa-phuong")
    assert heir in Directory.of(TODAY, committee).expand(wards.name)


def test_a_group_of_which_nobody_is_left_is_refused_and_one_of_which_some_are_says_so(committee):
    wards = RecipientGroup.objects.get(key="ubnd-xa-phuong")
    gone = wards.agencies.get(key="ubnd-xa-nong-thuong")
    Agency.objects.filter(pk=gone.pk).update(valid_to=TODAY)
    some = Directory.of(TODAY, committee).meant_by(wards.name)
    assert (len(some.agencies), some.ended) == (7, (gone,))

    Agency.objects.filter(pk__in=wards.agencies.all()).update(valid_to=TODAY)
    assert Directory.of(TODAY, committee).meant_by(wards.name).refusal is RecipientEnded


def test_a_name_of_nobody_stops(committee):
    with pytest.raises(RecipientUnknown):
        Directory.of(TODAY, committee).expand("Sở Thủy lợi")


def test_it_is_told_how_each_is_reached(committee, settings):
    ward, other, mailed = (
        Agency.objects.get(key=key) for key in ("ubnd-phuong-song-cau", "ubnd-phuong-duc-xuan", "cong-an")
    )
    Agency.objects.filter(pk=mailed.pk).update(email="cong-an@example.org")
    mailed.refresh_from_db()
    person("officer", "officer", ward)
    person("above", "clerk", committee)
    asked = [ward, other, mailed]

    assert list(channels(asked, committee).values()) == [Channel.ACCOUNT, Channel.NOBODY, Channel.NOBODY]
    settings.SMTP = object()
    assert channels(asked, committee)[mailed.pk] == Channel.MAIL


def test_the_number_of_queries_is_the_same_for_any_number_of_names(committee, django_assert_num_queries):
    lines = "\n".join(Agency.objects.values_list("name", flat=True))
    with django_assert_num_queries(4):
        assert len(Directory.of(TODAY, committee).expand(lines)) == 32


def test_an_agency_is_added_recalled_and_marked_by_the_issuer_without_a_receipt(committee):
    clerk, signer = person("clerk", "clerk", committee), person("signer", "issuer", committee)
    letter = issue_letter(committee, clerk, signer)
    late = entered(committee.unit, "Ban quản lý chợ")
    with pytest.raises(recipient_changes.approval.RecipientUnreached):
        recipient_changes.add_recipient(letter, late, "action", clerk, NOW)
    added = recipient_changes.add_recipient(letter, late, "action", clerk, NOW, on_paper=True)
    recipient_changes.hand_over(added, "Giao cho anh Bảo", clerk, NOW)
    assert (added.state, added.received_at, added.incoming_number) == ("handed_over", None, None)

    wrong = letter.dispatches.get(agency__key="thanh-doan")
    recipient_changes.recall_from(wrong, "Gửi nhầm", clerk, NOW)
    assert wrong.state == "recalled"
    assert not TaskParty.objects.filter(task__directive=letter, agency=wrong.agency).exists()
    letter.refresh_from_db()
    assert letter.state == "issued"


def test_nobody_signs_by_a_delegation_what_they_wrote(committee):
    from tests.builders.directives import enter_letter

    from bluezone.rollout.directives.issuance import approval

    signer = person("signer", "issuer", committee)
    clerk = person("clerk", "clerk", committee)
    own = signer.grants.get()
    clerk.grants.create(
        role="issuer",
        agency=committee,
        delegated_by=own,
        valid_from=datetime.date(2020, 1, 1),
        valid_to=datetime.date(2199, 1, 1),
    )
    letter = enter_letter(committee, clerk)
    version = approval.submit(letter, clerk, NOW)
    with pytest.raises(approval.OwnDraft):
        approval.approve(letter, version.sha256, clerk, NOW, for_another=True)

    approval.approve(letter, version.sha256, signer, NOW, for_another=True)
    assert letter.approved_by == signer


def test_a_refusal_names_each_line_once():
    assert addressees.RecipientUnknown(["a", "b", "a"]).names == ("a", "b")
