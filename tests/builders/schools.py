# SPDX-License-Identifier: Apache-2.0
"""Schools of a city with classes and class reports."""

from django.utils import timezone
from tests.builders.coverage import agency, city

from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.classes import catalogue
from bluezone.rollout.schools.models import Channel, ClassCounts, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import year_of


def this_week() -> Week:
    """The week that is open now."""
    return Week.of(timezone.localdate())


def school(name, unit, by, names="6A 40\n6B 35", week=None):
    """A school in a unit, with the classes of the year."""
    made = agency(name, unit, kind="school")
    catalogue.add_classes(made, year_of(week or this_week()), catalogue.read_list(names), by, timezone.now())
    return made


def schools_of_a_city(by, wards=("phường Đức Xuân", "phường Sông Cầu")):
    """A city, its wards, and one school in each."""
    top, below = city(*wards)
    return top, below, [school(f"Trường THCS {ward.name.split(' ', 1)[1]}", ward, by) for ward in below]


def class_report(school_class, *numbers, week=None, by=None, **values):
    """A class report, stored directly in the table. numbers: pupils, with a smartphone, running, relatives."""
    counts = ClassCounts(*numbers)
    channel = Channel.OFFICE if by else Channel.LINK
    return ClassReport.everything.create(
        school_class=school_class, week=(week or this_week()).first_day, version=1, channel=channel, reported_by=by,
        pupils=counts.pupils, with_smartphone=counts.with_smartphone, running=counts.running,
        relatives=counts.relatives, **values,
    )  # fmt: skip


def find_class(school, name):
    """The class of a school with this name."""
    return SchoolClass.everything.get(school=school, folded=catalogue.fold_name(name))
