# SPDX-License-Identifier: Apache-2.0
"""What a page says of a signed PDF: never more than the file proves and this office's list knows."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from tests.builders.directives import LETTER, NOW, approve_letter, enter_letter
from tests.letters.pdffiles import pdf_writer, with_script, written
from tests.letters.signedpdfs import identity, letter, signed

from bluezone.letters.letter import Letter
from bluezone.refusal import Refused
from bluezone.rollout.directives.exchange import partners
from bluezone.rollout.directives.exchange.partners import signatures_of
from bluezone.rollout.directives.issuance import approval, attachments, versions
from bluezone.rollout.directives.issuance.attachments import store
from bluezone.rollout.directives.models import Directive, PartnerCertificate


@pytest.mark.long
@pytest.mark.django_db
def test_trust_is_this_offices_list_alone(committee, clerk):
    file = store(Letter(signed(letter(), identity("Lê Văn Bình", issuer="Tổ chức chứng thực"))), "cv.pdf")
    (unknown,) = signatures_of(file)
    now = timezone.now()
    authority = partners.pin(
        committee, identity("Tổ chức chứng thực", authority=True)[1], clerk, now, PartnerCertificate.Use.DOCUMENTS
    )
    (vouched,) = signatures_of(file)
    own = partners.pin(
        committee, identity("Lê Văn Bình", issuer="Tổ chức chứng thực")[1], clerk, now, PartnerCertificate.Use.DOCUMENTS
    )
    (held,) = signatures_of(file)
    partners.remove(own, clerk, now)
    partners.remove(authority, clerk, now)
    (again,) = signatures_of(file)

    assert (unknown.name, unknown.held, unknown.state) == ("Lê Văn Bình", None, "whole")
    assert (vouched.held, vouched.by_authority) == (authority, True)
    assert (held.held, held.by_authority) == (own, False)
    assert again.held is None


@pytest.mark.long
@pytest.mark.django_db
def test_a_namesake_with_a_certificate_of_its_own_is_unknown(committee, clerk):
    partners.pin(committee, identity("Lê Văn Bình")[1], clerk, timezone.now(), PartnerCertificate.Use.DOCUMENTS)
    identity.cache_clear()
    (one,) = signatures_of(store(Letter(signed(letter(), identity("Lê Văn Bình"))), "cv.pdf"))

    assert (one.name, one.held) == ("Lê Văn Bình", None)


@pytest.mark.long
@pytest.mark.django_db
def test_the_page_of_a_signed_letter_says_who_when_and_whether_it_is_known_and_the_file_is_as_it_came(
    client, clerk, committee
):
    data = signed(letter(LETTER))
    client.force_login(clerk)
    sent = {"issuer": committee.pk, "file": SimpleUploadedFile("cv.pdf", data)}
    assert client.post("/directives/new/", sent).status_code == 302
    directive = Directive.objects.get()
    page = client.get(reverse("directive", args=[directive.pk])).content.decode()
    words = re.sub(r"<[^>]+>|\s+", " ", page)
    kept = client.get(reverse("file", args=[directive.original.token]))

    assert kept.content == data
    assert "Chữ ký điện tử đứng tên Nguyễn Văn Ký" in words
    assert "Từ khi ký, tệp không bị sửa." in words
    assert "theo đồng hồ của người ký" in words
    assert "chứng thư chưa biết" in words
    assert "hợp lệ" not in words


@pytest.mark.long
@pytest.mark.django_db
def test_a_signed_pdf_with_a_script_is_refused_like_any_other(client, clerk, committee):
    data = signed(written(with_script(pdf_writer(LETTER))))
    client.force_login(clerk)
    answer = client.post("/directives/new/", {"issuer": committee.pk, "file": SimpleUploadedFile("cv.pdf", data)})

    assert answer.status_code == 422
    assert Directive.objects.count() == 0


@pytest.mark.long
def test_a_signed_pdf_is_kept_beside_the_confirmation_and_one_that_was_changed_is_not(committee, clerk, signer):
    draft = enter_letter(committee, clerk)
    approve_letter(draft, clerk, signer)
    whole = signed(letter("Công văn"))
    for wrong in (letter("Công văn"), whole.replace(b"/Contents <", b"/Contents <00", 1)):
        with pytest.raises(Refused):
            attachments.keep_signed_copy(draft, Letter(wrong), "cv.pdf", clerk, NOW)
    attachments.keep_signed_copy(draft, Letter(whole), "cv.pdf", clerk, NOW)
    kept = draft.signed_copy

    assert [one.state for one in partners.signatures_of(kept)] == ["whole"]
    approval.issue(draft, clerk, NOW, on_paper=True)
    parts = {"confirmed": draft.approved_version.sha256, "signed_copy": kept.sha256, "number": draft.number}
    parts |= {"notation": draft.notation, "date": str(draft.date)}
    sent_to = sorted([one.agency.key, one.purpose, one.channel] for one in draft.dispatches.select_related("agency"))
    assert draft.seal == versions.digest_of(parts | {"sent_to": sent_to})
