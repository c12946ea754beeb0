# SPDX-License-Identifier: Apache-2.0
"""Kinds of units, agencies, recipients and figures, with their labels; imported by values and by models."""

from django.db.models.enums import TextChoices
from django.utils.translation import gettext_lazy as _


class UnitKind(TextChoices):
    """Levels of the Vietnamese administration, widest first; `GROUP` is a thôn or tổ dân phố.

    Districts ended on 1 July 2025, and special zones (đặc khu) began.
    """

    PROVINCE = "province", _("Province")
    DISTRICT = "district", _("City or district")  # district, town or city under a province
    WARD = "ward", _("Ward")  # phường
    COMMUNE = "commune", _("Commune")  # xã, thị trấn
    ZONE = "zone", _("Special zone")  # đặc khu
    GROUP = "group", _("Residential group")


# The lowest level that has a People's Committee.
WARDS = (UnitKind.WARD, UnitKind.COMMUNE, UnitKind.ZONE)


class AgencyKind(TextChoices):
    """What sort of body an agency is."""

    COMMITTEE = "committee", _("People’s Committee")
    DEPARTMENT = "department", _("Department of a People’s Committee")  # phòng, ban, văn phòng
    UNION = "union", _("Union")  # đoàn thể
    PARTY = "party", _("Party body")
    MEDIA = "media", _("Media")
    HEALTH = "health", _("Health")
    POLICE = "police", _("Police")
    MILITARY = "military", _("Military")
    SERVICE = "service", _("Public service unit")  # đơn vị sự nghiệp, ban quản lý
    # ngành: the city's office of a provincial or ministerial body
    BRANCH = "branch", _("Branch of a higher body")
    SCHOOL = "school", _("School")
    ENTERPRISE = "enterprise", _("Enterprise")


class Purpose(TextChoices):
    """Why a recipient gets a directive (Nơi nhận): for action, for information, or for file."""

    ACTION = "action", _("for action")
    INFORMATION = "information", _("for information")
    FILE = "file", _("for file")


class Quantity(TextChoices):
    """What a denominator counts."""

    POPULATION = "population", _("Population")
    HOUSEHOLDS = "households", _("Households")
    SMARTPHONES = "smartphones", _("Smartphones")
    STAFF = "staff", _("Staff")
    VENUES = "venues", _("Venues open to the public")
