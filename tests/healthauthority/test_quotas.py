# SPDX-License-Identifier: Apache-2.0
"""Limits of a day: each worker's, each facility's, and what a supervisor adds."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.builders.devices import agency
from tests.builders.keyserver import set_city
from tests.builders.office import local_today, user

from bluezone.directory.models import Agency
from bluezone.healthauthority import facilities, quotas
from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.codes.issuance import QuotaReached
from bluezone.healthauthority.models import QuotaRaise
from bluezone.healthauthority.permissions import visible_codes
from bluezone.healthauthority.quotas import Quota
from bluezone.identity.models import AuditEntry, Role, RoleGrant, User

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
STATION = "Trạm Y tế Sông Cầu"


def limited(server, worker=50, facility=300):
    set_city(server, quota_per_worker_a_day=worker, quota_per_facility_a_day=facility)


def worker(name, facility=STATION):
    """A health worker of one facility; what the account says of the agency is another name for it."""
    return user(name, within=agency(facility), agency="TYT")


def issue(server, worker, now=None):
    return issuance.issue_code(server, worker, "confirmed", local_today() - DAY, now or timezone.now())


def test_workers_of_one_facility_share_its_limit_and_others_do_not(server):
    limited(server, facility=2)
    lan, hoa, binh = worker("lan"), worker("hoa"), worker("binh", "Bệnh viện tỉnh")
    issue(server, lan)
    issue(server, hoa)

    assert quotas.quota_of(server, lan, timezone.now()).reached == "facility"
    with pytest.raises(QuotaReached, match="facility"):
        issue(server, hoa)
    assert issue(server, binh).code


def test_a_worker_of_the_whole_city_has_their_own_limit_alone(server):
    limited(server, facility=1)
    workers = [user("lan"), user("hoa")]

    assert [bool(issue(server, worker).code) for worker in workers] == [True, True]


def test_raising_the_worker_s_limit_lets_that_worker_go_on_today_and_not_tomorrow(server):
    limited(server, worker=1)
    supervisor, lan, hoa = user("sup", Role.SUPERVISOR), user("lan"), user("hoa")
    now = timezone.now()
    issue(server, lan, now)
    issue(server, hoa, now)
    quotas.raise_worker_limit(supervisor, lan, 1, "many_cases", now)

    assert issue(server, lan, now).code
    with pytest.raises(QuotaReached):
        issue(server, hoa, now)
    assert quotas.quota_of(server, lan, now + DAY).worker_limit == 1


def test_raising_the_facility_s_limit_helps_all_its_workers(server):
    limited(server, facility=1)
    supervisor, lan, hoa = user("sup", Role.SUPERVISOR), worker("lan"), worker("hoa")
    issue(server, lan)
    made = quotas.raise_facility_limit(supervisor, agency(STATION), 1, "absent", timezone.now())

    assert quotas.raises_of_today(timezone.now(), supervisor) == [made]
    assert issue(server, hoa).code
    with pytest.raises(QuotaReached):
        issue(server, lan)


def test_each_raise_is_in_the_audit_with_its_reason(server):
    quotas.raise_worker_limit(user("sup", Role.SUPERVISOR), user("lan"), 30, "mass_testing", timezone.now())
    entry = AuditEntry.objects.get(action="quota_raised")

    assert (entry.actor, entry.subject) == ("sup", "lan")
    assert entry.details == {"more": 30, "reason": "mass_testing"}


def test_a_raise_for_nobody_or_for_both_is_refused_by_the_database(server):
    lan = user("lan")
    values = {"day": local_today(), "more": 1, "reason": "absent", "raised_by": lan, "raised_at": timezone.now()}
    for whose in ({"worker": lan, "facility": agency(STATION)}, {"worker": None, "facility": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            QuotaRaise.objects.create(**whose, **values)


@pytest.mark.long
def test_the_supervisor_s_table_takes_the_same_few_queries_for_many_workers(server, django_assert_num_queries):
    for number in range(12):
        issue(server, worker(f"worker{number}"))
    with django_assert_num_queries(6):
        rows = quotas.quotas_of_all(server, timezone.now())

    assert {quota.facility_issued for _person, quota in rows} == {12}
    assert rows[0][1] == quotas.quota_of(server, rows[0][0], timezone.now())


def test_the_page_raises_a_limit_and_says_until_when(client, server):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("sup", Role.SUPERVISOR))
    lan = user("lan")
    said = client.post(
        "/codes/limits/", {"limit_of": f"worker:{lan.pk}", "more": "20", "reason": "absent"}, follow=True
    ).text

    assert "may issue 20 more codes today" in said
    assert "0 / 70" in said


@pytest.mark.parametrize("changes", [{"more": "0"}, {"more": "1001"}, {"reason": "x"}, {"limit_of": "worker:999"}])
def test_a_bad_form_raises_nothing(client, server, changes):
    client.force_login(user("sup", Role.SUPERVISOR))
    form = {"limit_of": f"worker:{user('lan').pk}", "more": "20", "reason": "absent", **changes}

    assert client.post("/codes/limits/", form).status_code == 422
    assert not QuotaRaise.objects.exists()


@pytest.mark.long
def test_the_page_raises_the_limit_of_a_facility_by_its_row_in_the_directory(client, server):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("sup", Role.SUPERVISOR))
    issue(server, worker("lan"))
    form = {"limit_of": f"facility:{agency(STATION).pk}", "more": "20", "reason": "absent"}
    said = client.post("/codes/limits/", form, follow=True).text

    assert f"{STATION} may issue 20 more codes today" in said
    assert "1 / 320" in said
    assert QuotaRaise.objects.get().facility == agency(STATION)


def test_a_supervisor_of_one_facility_sees_its_codes_and_those_of_nobody_else(client, server):
    for name, place in (("lan", STATION), ("binh", "Bệnh viện tỉnh")):
        issue(server, worker(name, place))
    there = user("sup", Role.SUPERVISOR, within=agency(STATION))
    everywhere = user("over", Role.SUPERVISOR)

    assert {code.worker.username for code in visible_codes(there)} == {"lan"}
    assert {code.worker.username for code in visible_codes(everywhere)} == {"lan", "binh"}


def test_a_supervisor_of_one_facility_sees_what_was_raised_for_it_and_for_nobody_else(client, server):
    over, now = user("over", Role.SUPERVISOR), timezone.now()
    for name, place in (("lan", STATION), ("binh", "Bệnh viện tỉnh")):
        quotas.raise_worker_limit(over, worker(name, place), 20, "absent", now)
        quotas.raise_facility_limit(over, agency(place), 20, "absent", now)
    there = user("sup", Role.SUPERVISOR, within=agency(STATION))
    seen = quotas.raises_of_today(now, there)

    assert {one.worker.username if one.worker else one.facility.name for one in seen} == {"lan", STATION}
    assert len(quotas.raises_of_today(now, over)) == 4


def test_a_worker_cannot_raise_a_limit(client, server):
    client.force_login(user("lan"))

    assert client.post("/codes/limits/", {}).status_code == 403


def test_what_is_left_is_the_smaller_of_both_limits_and_never_below_none():
    place = Agency(name="Trạm")
    quotas_left = [
        (Quota(None, 3, 5, 0, 0), 2, None),
        (Quota(None, 5, 5, 0, 0), 0, "worker"),
        (Quota(None, 7, 5, 0, 0), 0, "worker"),
        (Quota(place, 3, 50, 9, 10), 1, None),
        (Quota(place, 3, 50, 10, 10), 0, "facility"),
        (Quota(place, 3, 50, 12, 10), 0, "facility"),
        (Quota(place, 48, 50, 1, 10), 2, None),
    ]

    assert [(quota.left, quota.reached) for quota, _left, _reached in quotas_left] == [
        (left, reached) for _quota, left, reached in quotas_left
    ]


def test_of_two_facilities_the_health_worker_s_counts_and_then_the_older_grant_s(server):
    first, second = agency(STATION), agency("Bệnh viện tỉnh")
    lan, hoa = user("lan", Role.SUPERVISOR, within=first), user("hoa", within=first)
    for person, role in ((lan, Role.HEALTH_WORKER), (hoa, Role.HEALTH_WORKER)):
        RoleGrant.objects.create(user=person, role=role, agency=second)

    assert [facilities.facility_of(User.objects.get(pk=person.pk)) for person in (lan, hoa)] == [second, first]
    assert facilities.facilities_of([lan, hoa]) == {lan.pk: second, hoa.pk: first}
    assert (facilities.workplace(hoa), facilities.workplace(user("binh", agency="TYT"))) == (STATION, "TYT")
