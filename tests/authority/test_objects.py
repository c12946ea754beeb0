# SPDX-License-Identifier: Apache-2.0
"""Every page of an object: who may act on it does, everybody else is refused and nothing changes.

What is expected stands beside each view (@touches, bluezone.identity.objects). Here it is tried: every role that the
page admits, held at every place around one ward and its school, reads the page and presses the button.
"""

import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.builders.acts import ACTS, Body
from tests.builders.objects import Actor, City, receive
from tests.builders.office import furnished_folder, open_office, plain_refusals
from tests.rollout.directives.exchange.edxml.keys import signer as edxml_signer

from bluezone.desk.home import WAITS_KEY, WAITS_SECONDS, all_matters
from bluezone.directory.scopes import is_within_a_ward
from bluezone.identity.factors.second_factors import REQUIRING
from bluezone.identity.models import Role, User
from bluezone.identity.objects import Ownership, Place, Right, Touch, every_right
from bluezone.messaging.cap.models import Alert
from bluezone.rollout.bulletins.models import Script
from bluezone.rollout.directives.exchange import uploads
from bluezone.rollout.directives.exchange.edxml import (
    Organisation,
    ResponseFor,
    StatusCode,
    StatusMessage,
    document_id,
    write_message,
)
from bluezone.rollout.directives.models import Assignment, Directive, ExchangeImport

__all__ = ["furnished_folder", "plain_refusals"]

OFFICE = "bluezone.web.urls_office"
RIGHTS = {right.name: right for right in every_right(OFFICE)}


def is_tried(right: Right) -> bool:
    """Whether a page names an object, or makes one that belongs somewhere."""
    if "<" in right.address:
        return {way.ownership for way in right.ways} != {Ownership.NOTHING}
    return any(way.ownership.needs_reach and way.ownership is not Ownership.REACHED for way in right.ways)


NAMED = {name for name, right in RIGHTS.items() if is_tried(right)}
# Pages that name nothing: lists, and the first page.
LISTS = [right for _name, right in sorted(RIGHTS.items()) if "<" not in right.address and right.name != "sign-out"]
# What a list is narrowed to, where it then says more.
NARROWED = {"air-plan": lambda city: f"?outlet={city.station.pk}"}
# What a request writes for its own browser.
SESSIONS = "accounts_officesession"
_WRITES = re.compile(r'\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b[^"]*"(\w+)"', re.IGNORECASE)
NEAREST = (Place.CITY, Place.ITSELF)
_LINKS = re.compile(r'(?:href|action|src)="(/[^"?#]*)')


def route_of(name: str) -> str:
    """The name of the route of an act: one route may stand here with two kinds of object, "name:of a venue"."""
    return name.partition(":")[0]


@pytest.fixture(scope="module")
def city(django_db_setup, django_db_blocker, furnished_folder, tmp_path_factory) -> Iterator[City]:
    """One planted city for all tests here; each act in it is taken back."""
    folder = tmp_path_factory.mktemp("authority") / "data"
    with django_db_blocker.unblock(), open_office(furnished_folder, folder), taken_back():
        planted = City()
        planted.links = Links(planted)
        for client in planted.clients():
            client.counted_at = count_menu(client)
        yield planted


def count_menu(client: Client) -> int:
    """As if the menu of this browser had been counted a moment ago, and nothing waited; when, in Unix seconds.

    To count it anew is a quarter of what a page costs; what waits for whom is tried below and in tests/desk.
    """
    session, now = client.session, int(timezone.now().timestamp())
    session[WAITS_KEY] = {
        "at": now, "training": False, "counts": {}, "count": 0, "late": 0, "first": None,
        "language": settings.LANGUAGE_CODE,
    }  # fmt: skip
    session.save()
    return now


def prepare(actor: Actor) -> None:
    """What grows old, however long the tests before this one took: the second factor's proof, the menu's numbers.

    What is stored here is taken back with the test, so that it is stored anew for the next one.
    """
    actor.confirm_again()
    counted_at = getattr(actor.client, "counted_at", None)
    if counted_at is not None and timezone.now().timestamp() - counted_at > WAITS_SECONDS / 2:
        count_menu(actor.client)


@pytest.fixture
def data_folder(city: City) -> None:
    """No folder for each test, as its neighbours have: what the planted city sealed opens under its own key alone."""


@contextmanager
def written() -> Iterator[set[str]]:
    """The tables that are written to within, those of the session left out."""
    tables: set[str] = set()

    def note(execute, sql, params, many, context):
        found = _WRITES.match(sql)
        if found and found[1] != SESSIONS:
            tables.add(found[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield tables


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is stored within is not stored."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.long
def test_every_page_of_an_object_has_a_rule_and_an_act_to_try():
    unknown = [
        f"{right.address}: declare what it touches with @touches(...) beside its view, and in tests/builders/acts.py "
        f"which object and what its keeper sends, under {name!r}"
        for name, right in RIGHTS.items()
        if not right.ways or (name in NAMED and name not in ACTS)
    ]

    assert unknown == []
    assert {route_of(name) for name in ACTS} == NAMED, "an act without a page"


@pytest.mark.long
def test_a_role_needs_a_second_factor_that_releases_something_or_moves_accounts():
    """A code, a bulletin, a letter, an alert, a key, another's account.

    Cutting off a device, lending an outlet and speaking live ask for it at the act.
    """
    safe = {"device-revoke", "outlet-lend", "zone-live", "waiting-act", "glass"}
    releasing = {
        role for right in RIGHTS.values() if right.releases and right.name not in safe for role in right.audience.roles
    }

    assert releasing == REQUIRING


def ways_of(name: str) -> tuple[Touch, ...]:
    """The declared ways that hold for the kind of object of an act."""
    act = ACTS[name]
    ways = [way for way in RIGHTS[route_of(name)].ways if act.ways is None or way.ownership in act.ways]
    return tuple(way if act.roles is None else way.ownership.for_roles(*act.roles) for way in ways)


def admitted(ways: tuple[Touch, ...], role: str) -> set[Place]:
    """The places at which a role lets somebody to the object."""
    return set().union(*(way.ownership.places for way in ways if way.roles is None or role in way.roles))


def roles_of(name: str) -> list[str]:
    """The roles that the audience of the page admits."""
    return sorted(role for role in RIGHTS[route_of(name)].audience.roles if role in Role.values)


def who_may(city: City, name: str) -> Iterator[Actor]:
    """The owner; the first role at every place where it is let in, each other role at one."""
    act, ways, first = ACTS[name], ways_of(name), True
    if act.owner:
        yield city.owner(act.owner(city))
    if any(way.ownership is Ownership.EVERYBODY for way in ways):
        yield city.at(roles_of(name)[0], Place.ELSEWHERE, act.around)
        return
    for role in roles_of(name):
        places = sorted(admitted(ways, role), key=list(Place).index)
        if places:
            for place in places if first else [Place.ITSELF if Place.ITSELF in places else places[0]]:
                yield city.at(role, place, act.around)
            first = False


def who_may_not(city: City, name: str, method: str) -> Iterator[Callable[[], Actor]]:
    """Every role at every place at which it is not let in; of a role that never is, at the two nearest; two roles that
    are not of the audience, held for the whole city (a slow test tries all of them).

    Where a page has an act, fewer read it: one of those elsewhere. And whom one role brings to the page and another,
    which is not enough, to the object.
    """
    act, ways = ACTS[name], ways_of(name)
    only_read = method == "get" and act.body is not None
    for role in roles_of(name):
        places = admitted(ways, role)
        for place in set(Place) - places if places else NEAREST:
            for actor in city.actors(role, place, act.around)[: 1 if only_read else None]:
                yield partial(_itself, actor)
    yield from islice(outsiders(city, name), 2)
    open_to = set(roles_of(name))
    others = [role for role in Role.values if role not in open_to or Place.ITSELF not in admitted(ways, role)]
    for role in roles_of(name) if not only_read else []:
        if admitted(ways, role) and Place.ELSEWHERE not in admitted(ways, role):
            yield partial(city.astray, role, [other for other in others if other != role], act.around)
        if act.related_person:
            yield partial(city.moved, act.related_person(city), role)


def outsiders(city: City, name: str) -> Iterator[Callable[[], Actor]]:
    """Who holds a role for the whole city that is not of the audience; the next page begins with the next role."""
    roles = sorted(set(Role.values) - set(roles_of(name)))
    begin = sorted(ACTS).index(name) % len(roles) if roles else 0
    for role in roles[begin:] + roles[:begin]:
        yield partial(_itself, city.at(role, Place.CITY, ACTS[name].around))


def _itself(actor: Actor) -> Actor:
    return actor


def who_reaches_out(city: City, name: str) -> Iterator[Actor]:
    """Who may act on the object and nowhere else, one of each role; whoever keeps the whole city reaches everything."""
    act = ACTS[name]
    for role in roles_of(name) if act.foreign_body else []:
        places = admitted(ways_of(name), role)
        for place in [one for one in (Place.ITSELF, Place.UNIT) if one in places][:1]:
            yield city.at(role, place, act.around)


def requests_of(city: City, name: str) -> list[tuple[str, str]]:
    act = ACTS[name]
    address = reverse(route_of(name), OFFICE, act.arguments(city)) + "?" + act.query(city)
    methods = (("get", act.page_status is not None), ("post", act.body is not None))
    return [(method, address) for method, there in methods if there]


def may_go(city: City, name: str, actor: Actor) -> bool:
    """Whether whoever holds one role at one place is let to an object."""
    act, right, ways = ACTS[name], RIGHTS[route_of(name)], ways_of(name)
    if act.owner and act.owner(city) == actor.user:
        return True
    around = {place for place, scopes in city.places[act.around].items() if actor.scope in scopes}
    if actor.role not in right.audience.roles:
        return False
    return any(way.ownership is Ownership.EVERYBODY for way in ways) or bool(around & admitted(ways, actor.role))


def opens(right: Right, actor: Actor) -> bool:
    """Whether a page that names nothing is for this role, held where it is: in the whole city, or in less of it."""
    whose = {way.ownership for way in right.ways if way.roles is None or actor.role in way.roles}
    if actor.role not in right.audience.roles:
        return False
    if whose == {Ownership.WIDE}:
        return not is_within_a_ward(actor.scope)
    return actor.scope is None or whose != {Ownership.CITY}


EVERYBODYS = [
    name
    for name, act in sorted(ACTS.items())
    if act.page_status == 200 and any(way.ownership is Ownership.EVERYBODY for way in ways_of(name))
]


def is_page(answer: HttpResponse) -> bool:
    """Whether somebody was let in and shown something with links on it."""
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")


class Links:
    """Which of a page's links and buttons its reader may not follow: to one of the planted objects that is closed to
    them, or to a page for other roles or for the whole city's.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._names = defaultdict(list)
        self._lists = {right.address: right for right in LISTS}
        for name, act in ACTS.items():
            if "<" in RIGHTS[route_of(name)].address:
                self._names[reverse(route_of(name), OFFICE, act.arguments(city))].append(name)

    def astray(self, text: str, *held: Actor) -> list[str]:
        """held: what the reader holds, a role at a place each."""
        followed = {html.unescape(path) for path in _LINKS.findall(text)}
        closed = {
            path
            for path in followed & self._names.keys()
            if not any(may_go(self._city, name, one) for name in self._names[path] for one in held)
        }
        others = {
            path for path in followed & self._lists.keys() if not any(opens(self._lists[path], one) for one in held)
        }
        return sorted(closed | others)


class Trial:
    """One page tried; what is wrong with it, in sentences."""

    def __init__(self, city: City, name: str, method: str, path: str) -> None:
        self.city, self.name, self.method, self.path = city, name, method, path
        self.act, self.wrong = ACTS[name], []

    def answer(self, make: Callable[[], Actor], body: Body | None) -> tuple[Actor, int, set[str]]:
        """Who asked, the status, and the tables that were written to; all of it taken back."""
        with taken_back():
            actor = make()
            prepare(actor)
            self.act.prepare(self.city, actor)
            sent = body(self.city, actor) if body and self.method == "post" else {}
            with written() as tables:
                answer = getattr(actor.client, self.method)(self.path, sent)
            if self.method == "get" and is_page(answer):
                self.leads_nowhere(actor, answer)
        return actor, answer.status_code, tables

    def leads_nowhere(self, actor: Actor, answer: HttpResponse) -> None:
        """Whoever may read the page is led to nothing that is closed to them."""
        found = self.city.links.astray(answer.text, actor)
        self.wrong += [f"{actor} is led from {self.path} to {path}" for path in found]

    def tell(self, words: str, answer: tuple[Actor, int, set[str]]) -> None:
        actor, status, tables = answer
        self.wrong.append(f"{actor} {words} {self.method} {self.path}: got {status}, wrote {sorted(tables)}")

    def lets_in(self) -> None:
        act = self.act
        for actor in islice(who_may(self.city, self.name), 1 if act.is_slow else None):
            _, status, tables = answer = self.answer(partial(_itself, actor), act.body)
            noted = actor.role in act.reading_recorded_for and actor.place in act.reading_recorded_at
            writes = act.changes if self.method == "post" else noted
            if status != (act.page_status if self.method == "get" else act.done_status) or (writes and not tables):
                self.tell("may", answer)
            elif self.method == "get" and tables and not writes:
                self.tell("changes something by reading:", answer)

    def keeps_out(self, who: Iterable[Callable[[], Actor]]) -> None:
        for make in who:
            _, status, tables = answer = self.answer(make, self.act.body)
            if status not in self.act.refusal_statuses or tables:
                self.tell("may not", answer)

    def reaches_no_further(self) -> None:
        for actor in who_reaches_out(self.city, self.name) if self.method == "post" else []:
            answer = self.answer(partial(_itself, actor), self.act.foreign_body)
            if answer[2]:
                self.tell("reaches for another's by", answer)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ACTS))
def test_who_may_act_on_an_object_does_and_nobody_else(city, plain_refusals, name):
    wrong = []
    for method, path in requests_of(city, name):
        trial = Trial(city, name, method, path)
        trial.lets_in()
        trial.keeps_out(who_may_not(city, name, method))
        trial.reaches_no_further()
        wrong += trial.wrong

    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.django_db
def test_no_role_but_those_of_the_audience_acts_on_an_object(city, plain_refusals):
    wrong = []
    for name in sorted(ACTS):
        for method, path in requests_of(city, name):
            trial = Trial(city, name, method, path)
            trial.keeps_out(outsiders(city, name))
            wrong += trial.wrong

    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("right", LISTS, ids=[right.name for right in LISTS])
def test_no_list_leads_its_reader_to_an_object_that_is_closed_to_them(city, plain_refusals, right):
    wrong, path = [], right.address + NARROWED.get(right.name, lambda city: "")(city)
    for actor in (city.at(role, Place.ELSEWHERE) for role in roles_of(right.name)):
        with taken_back():
            prepare(actor)
            answer = actor.client.get(path)
        if is_page(answer):
            wrong += [f"{actor} is led to {found}" for found in city.links.astray(answer.text, actor)]
        elif opens(right, actor) and answer.status_code == 403:
            wrong.append(f"{actor} is refused a page that is for them")

    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("name", EVERYBODYS)
def test_no_page_that_everybody_reads_leads_another_agency_to_what_is_closed_to_it(city, plain_refusals, name):
    """Read by somebody who holds every role, but elsewhere: what a page shows to a role shows for its place alone."""
    act, [(_method, path), *_post] = ACTS[name], requests_of(city, name)
    with taken_back():
        stranger = city.stranger()
        act.prepare(city, stranger)
        answer = stranger.client.get(path)
    held = [city.at(role, Place.ELSEWHERE, act.around) for role in Role.values]

    assert answer.status_code == 200
    assert not is_page(answer) or city.links.astray(answer.text, *held) == []


@pytest.mark.django_db
def test_what_waits_in_an_agency_waits_for_nobody_of_another(city):
    """Whoever holds every role elsewhere has the letters and numbers of that place to see to, and nothing of here."""
    with taken_back():
        found = all_matters(city.stranger().user, city.now)

    assert {(duty, one.act, one.where) for duty, one in found if one.where != city.beside.name} == set()
    assert "directives" in {duty for duty, _one in found}


def kinds_that_wait(city: City, who: User) -> set[str]:
    """The first words of the keys: "alert", "draft", "sign"."""
    return {one.key.partition(" ")[0] for _duty, one in all_matters(who, city.now)}


@pytest.mark.django_db
def test_what_somebody_wrote_waits_for_another_to_release_it(city):
    who, released = city.at(Role.ISSUER).user, {"script", "alert", "sign"}
    with taken_back():
        assert kinds_that_wait(city, who) >= released
        Script.objects.update(written_by=who)
        Directive.objects.update(made_by=who)
        assert kinds_that_wait(city, who) & released == {"alert"}
        Alert.objects.update(written_by=who.username)
        assert kinds_that_wait(city, who) & released == set()


@pytest.mark.django_db
def test_what_somebody_has_begun_or_was_given_waits_for_nobody_else(city):
    who, theirs = city.at(Role.CLERK).user, {"draft", "assignment"}
    with taken_back():
        receive(city, who)
        given = Assignment.objects.create(
            dispatch=city.dispatch, account=city.worker, made_by=city.worker, made_at=city.now
        )
        assert kinds_that_wait(city, who) & theirs == set()
        Directive.objects.update(made_by=who)
        assert kinds_that_wait(city, who) & theirs == {"draft"}
        Assignment.objects.filter(pk=given.pk).update(account=who)
        assert kinds_that_wait(city, who) & theirs == theirs


@pytest.mark.django_db
def test_a_file_for_one_agency_is_read_in_by_nobody_of_another(city):
    """A document and then its recall, both for the ward; and how far one of the ward's own has got."""
    theirs, document = Organisation(city.partner.edxml_id, city.partner.name), bytes(city.exchange_file.content)

    def says(organ: str, one: Directive, state: StatusCode) -> bytes:
        named = document_id(organ, one.date, one.number, one.notation)
        about = ResponseFor(organ, one.code, one.date, named)
        return write_message(StatusMessage(about, theirs, state, city.now), edxml_signer(theirs.name, at=city.now))

    with taken_back():
        strangers = city.at("clerk", Place.ELSEWHERE).user, city.astray("clerk", ["officer", "lead"], "ward").user

        def refuses(content: bytes) -> str:
            for stranger in strangers:
                with pytest.raises(uploads.NotForUs):
                    uploads.look(content, stranger, city.now)
            return uploads.look(content, city.at("issuer").user, city.now).digest

        digest = refuses(document)
        refuses(says(city.ward.edxml_id, city.issued, StatusCode.RECEIVED))
        uploads.apply(ExchangeImport.objects.get(pk=city.exchange_file.pk), digest, city.sender, city.now)
        refuses(says(theirs.id, Directive.objects.get(number="1522"), StatusCode.RECALLED))
