# SPDX-License-Identifier: Apache-2.0
"""What is stored where, and for how long: one table for the transparency page and for docs/privacy.md.

A test compares the document with this, so that neither can say more or less than the other.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Kept:
    """One row. what: the data; where: which device or store; how_long: until when. Short enough for a phone."""

    what: str | Promise
    where: str | Promise
    how_long: str | Promise


KEPT = [
    Kept(_("Random codes heard over Bluetooth"), _("only on the phone that heard them, sealed"), _("14 days")),
    Kept(_("Visits to places (web edition and app)"), _("only on the phone that scanned, sealed"), _("14 days")),
    Kept(_("Warnings"), _("only on the warned phone"), _("14 days after the day they are about")),
    Kept(_("Code from a health worker"), _("codes store, as a keyed hash"), _("24 hours, as a link 48 hours")),
    Kept(
        _("Random codes of a person who reports, with the hour received"),
        _("keys store; then in the signed files, among padding"),
        _("14 days"),
    ),
    Kept(_("Visits that a person reports"), _("keys store; then encrypted in the venue packages"), _("14 days")),
    Kept(_("Hash of a used certificate"), _("keys store"), _("while its week key is accepted")),
    Kept(_("Declaration of a warned person"), _("keys store, sealed for the health authority"), _("30 days")),
    Kept(
        _("Request for help: contact, place, words"),
        _("office store, encrypted"),
        _("30 days after it is done, 90 days at most"),
    ),
    Kept(
        _("Visited household: householder, address, number of phones, visits"),
        _("office store; on the one phone that has the list, sealed"),
        _("180 days after the last word; photographs 30 days"),
    ),
    Kept(_("Subscription to notices"), _("keys store, a table of its own, without times"), _("until cancelled")),
    Kept(_("Code of a place"), _("its hash with the registrar; what hangs there in the office"), _("while it is kept")),
    Kept(
        _("Who runs a registered place: name, telephone, e-mail"),
        _("office store, encrypted"),
        _("90 days after it has closed"),
    ),
    Kept(_("Accounts, roles and acts of officials"), _("office store"), _("while in use; the audit one year")),
    Kept(
        _("Network address of a visitor"),
        _("only as a keyed hash in memory, to slow down guessing and flooding"),
        _("one hour at most"),
    ),
    Kept(_("Who met whom, who is warned, who was where"), _("nowhere"), _("never")),
]
