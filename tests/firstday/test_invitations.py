# SPDX-License-Identifier: Apache-2.0
"""An account for every agency in one act."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.builders.office import prove_second_factor, user

from bluezone.directory.models import Agency
from bluezone.firstday.city_pack import city_pack
from bluezone.firstday.city_setup import set_up, usual_offices
from bluezone.firstday.invitations import invite_everybody, seats_on
from bluezone.identity import account_links
from bluezone.identity.models import AccountLink, Role, User
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.smtp_url import read_smtp_url
from bluezone.messaging.sms.models import Message
from bluezone.messaging.sms.providers import read_sms_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward():
    place = city_pack().places["01840"]
    return set_up("quan", place, usual_offices(place)).issuer


def test_every_agency_gets_who_receives_and_the_issuer_who_signs(ward):
    invited = invite_everybody("quan", timezone.now())
    signer = User.objects.get(grants__role=Role.ISSUER)

    assert len(invited) == 33
    assert signer.grants.get().agency == ward
    assert signer not in [one.account for one in invited], "that link takes a second person"
    assert not signer.links.exists()
    assert len({one.account.username for one in invited}) == 33
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]{2,39}", one.account.username) for one in invited)
    assert all(grant.agency == one.seat.agency for one in invited for grant in one.account.grants.all())


@pytest.mark.long
def test_a_second_time_makes_no_account_and_a_new_link_for_whoever_has_not_come_in(ward):
    first = invite_everybody("quan", timezone.now())
    account_links.set_first_password(first[0].token, "Lý Thị Thư", "suối chảy qua bản nhỏ", timezone.now())
    second = invite_everybody("quan", timezone.now())

    assert (len(second), User.objects.count()) == (32, 34)
    with pytest.raises(account_links.AccountLinkInvalid):
        account_links.find_linked_account(first[1].token, timezone.now())
    assert account_links.find_linked_account(second[0].token, timezone.now()) == second[0].account


def test_somebody_who_holds_the_role_already_keeps_the_seat(ward):
    user("van-thu", Role.CLERK, ward)
    seats = seats_on(timezone.localdate())

    assert (seats.count, len(seats.empty)) == (34, 33)
    assert ward not in [seat.agency for seat in seats.empty if seat.role == Role.CLERK]


@pytest.fixture
def listed(client, settings):
    """Three people from a list, with an e-mail address, a telephone, and neither; the office sends both ways."""
    settings.SMTP = read_smtp_url("smtp://localhost:25", "bluezone@localhost")
    settings.SMS = read_sms_url("file:sms-not-sent.log")
    place = city_pack().places["01840"]
    set_up("quan", place, usual_offices(place))
    client.force_login(user("quan", Role.ADMIN))
    prove_second_factor(client)
    rows = ("Họ và tên,Cơ quan,Điện thoại,Email", "Lý Thư,Trạm Y tế phường Đức Xuân,,thu@example.org",
            "Lý Máy,Trạm Y tế phường Đức Xuân,0912 345 678,", "Lý Giấy,Trạm Y tế phường Đức Xuân,,")  # fmt: skip
    file = SimpleUploadedFile("l.csv", "\n".join(rows).encode())
    page = client.post("/accounts/lists/", {"file": file, "usual_role": "officer"}, follow=True)
    pk, digest = page.context["sent_list"].pk, page.context["preview"].digest
    assert client.post(f"/accounts/lists/{pk}/apply/", {"digest": digest}).status_code == 302
    return client


def invited(browser):
    chosen = User.objects.filter(name__startswith="Lý ").values_list("pk", flat=True)
    return browser.post("/accounts/invitations/send/", {"account": list(chosen)}, follow=True)


@pytest.mark.long
def test_an_invitation_goes_by_mail_or_by_text_message_with_a_link_that_works_once(listed):
    page = invited(listed)

    link = re.search(r"/start/[\w-]{43}/", Mail.objects.get(to="thu@example.org").text)[0]
    assert Message.objects.filter(purpose="code").count() == 1
    assert "Lý Giấy" in page.text
    assert Client().get(link).status_code == 200
    earlier = AccountLink.objects.count()
    invited(listed)
    assert Client().get(link).status_code != 200
    assert AccountLink.objects.count() == earlier


@pytest.mark.long
def test_whom_no_message_reaches_keeps_the_link_on_the_slip(listed):
    account = User.objects.get(name="Lý Giấy")
    before = list(account.links.values_list("pk", flat=True))

    invited(listed)

    assert list(account.links.values_list("pk", flat=True)) == before


@pytest.mark.long
def test_nobody_is_invited_out_of_reach(listed):
    listed.force_login(user("other", Role.ADMIN, within=Agency.objects.get(name="Ủy ban nhân dân phường Đức Xuân")))
    far = user("far", Role.CLERK, within=None, name="Lý Xa")
    far.set_unusable_password()
    far.save()
    prove_second_factor(listed)

    invited(listed)

    assert not far.links.exists()
    assert not Mail.objects.exists()
