# SPDX-License-Identifier: Apache-2.0
"""The audit chain: what it tells of, and its entries."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Act(models.TextChoices):
    """What the audit tells of."""

    ACCOUNT_MADE = "account_made", _("made an account")
    ACCOUNT_CHANGED = "account_changed", _("changed an account")
    LINK_MADE = "link_made", _("made a one-time link")
    ROLE_GIVEN = "role_given", _("gave a role")
    ROLE_ENDED = "role_ended", _("ended a role")
    ROLE_DELEGATED = "role_delegated", _("delegated a role")
    FACTOR_ADDED = "factor_added", _("set up a second factor")
    FACTOR_REMOVED = "factor_removed", _("removed a second factor")
    RECOVERY_CODES_MADE = "recovery_codes_made", _("made recovery codes")
    RECOVERY_CODE_USED = "recovery_code_used", _("used a recovery code")
    SESSIONS_ENDED = "sessions_ended", _("ended sessions")
    PASSWORD_SET = "password_set", _("set a password")
    EMAIL_CHANGED = "email_changed", _("changed the own e-mail address")
    CODE_ISSUED = "code_issued", _("issued a code")
    CODE_REVOKED = "code_revoked", _("revoked a code")
    QUOTA_REFUSED = "quota_refused", _("was refused a code over the quota")
    ENTRY_MADE = "entry_made", _("entered a unit or agency")
    ENTRY_CHANGED = "entry_changed", _("changed a unit or agency")
    FIGURE_RECORDED = "figure_recorded", _("recorded a figure")
    RECIPIENTS_CHANGED = "recipients_changed", _("changed a recipient group")
    LIST_IMPORTED = "list_imported", _("imported a list")
    DEVICE_MADE = "device_made", _("entered a device")
    DEVICE_CODE_MADE = "device_code_made", _("made a code for a device")
    DEVICE_ENROLLED = "device_enrolled", _("connected a device")
    DEVICE_REVOKED = "device_revoked", _("cut off a device")
    GATE_OPENED = "gate_opened", _("opened a gate")
    GATE_CLOSED = "gate_closed", _("closed a gate")
    GATE_DEVICE_PUT = "gate_device_put", _("put a tablet to a gate")
    GATEKEEPER_NAMED = "gatekeeper_named", _("nominated a gatekeeper or printed a badge")
    GATEKEEPER_ENDED = "gatekeeper_ended", _("ended a gatekeeper’s nomination")
    GATE_SLIP_ENTERED = "gate_slip_entered", _("entered or corrected a paper slip of a gate")
    GATE_SLIP_REMOVED = "gate_slip_removed", _("took a paper slip of a gate out")
    STAFF_REPORTED = "staff_reported", _("reported the staff of an agency")
    WEEK_REOPENED = "week_reopened", _("reopened a week for an agency")
    PERIOD_REOPENED = "period_reopened", _("reopened a report period for an agency")
    QUOTA_RAISED = "quota_raised", _("raised the limit of codes for a day")
    DECLARATION_KEY_MADE = "declaration_key_made", _("made the key for declarations")
    DECLARATION_KEY_SEALED = "declaration_key_sealed", _("changed the passphrase for declarations")
    DECLARATION_OPENED = "declaration_opened", _("opened a declaration")
    DECLARATION_REFUSED = "declaration_refused", _("gave a wrong passphrase for declarations")
    VENUE_ALERTED = "venue_alerted", _("warned the guests of a venue")
    AUDIT_EXPORTED = "audit_exported", _("took a copy of the audit")
    NEWS_WRITTEN = "news_written", _("wrote a news text")
    NEWS_PUBLISHED = "news_published", _("published news")
    NEWS_CORRECTED = "news_corrected", _("corrected news")
    NEWS_WITHDRAWN = "news_withdrawn", _("withdrew news")
    DIRECTIVE_APPROVED = "directive_approved", _("approved a directive")
    DIRECTIVE_REOPENED = "directive_reopened", _("made an approved directive a draft again")
    DIRECTIVE_ISSUED = "directive_issued", _("issued a directive")
    DIRECTIVE_REPLACED = "directive_replaced", _("replaced a directive")
    DIRECTIVE_REVOKED = "directive_revoked", _("recalled a directive")
    DOCUMENT_SENT_BACK = "document_sent_back", _("sent a document back")
    REPORT_RETURNED = "report_returned", _("returned a report")
    REPORT_LOCKED = "report_locked", _("accepted a report, which locks it")
    EDXML_EXPORTED = "edxml_exported", _("wrote an exchange file")
    EDXML_IMPORTED = "edxml_imported", _("read an exchange file in")
    CERTIFICATE_PINNED = "certificate_pinned", _("entered a certificate of another office")
    CERTIFICATE_REMOVED = "certificate_removed", _("removed a certificate of another office")
    TEAM_MADE = "team_made", _("entered a team for drives")
    DRIVE_PLANNED = "drive_planned", _("planned a drive")
    DRIVE_OPENED = "drive_opened", _("opened a drive")
    DRIVE_CLOSED = "drive_closed", _("closed a drive")
    DRIVE_TALLIED = "drive_tallied", _("entered the tally sheet of a drive")
    HELP_CLAIMED = "help_claimed", _("took on a request for help")
    HELP_RELEASED = "help_released", _("gave a request for help back")
    HELP_CLOSED = "help_closed", _("closed a request for help")
    VENUE_ENTERED = "venue_entered", _("registered a venue in person")
    VENUE_CHANGED = "venue_changed", _("changed what is stored of a venue")
    VENUE_APPROVED = "venue_approved", _("approved a venue and had its code signed")
    VENUE_REFUSED = "venue_refused", _("refused a venue")
    VENUE_RENEWED = "venue_renewed", _("renewed the code of a venue")
    VENUE_SUSPENDED = "venue_suspended", _("withdrew the code of a venue")
    VENUE_INSPECTED = "venue_inspected", _("inspected a venue")

    BULLETIN_WRITTEN = "bulletin_written", _("wrote a bulletin text or put in a recording")
    BULLETIN_APPROVED = "bulletin_approved", _("approved a bulletin text after listening")
    BULLETIN_WITHDRAWN = "bulletin_withdrawn", _("withdrew a bulletin")
    AIRING_SCHEDULED = "airing_scheduled", _("scheduled a bulletin")
    AIRING_CHANGED = "airing_changed", _("changed or stopped the schedule of a bulletin")
    EMERGENCY_AIRED = "emergency_aired", _("had an emergency bulletin aired at once")
    AIRING_ATTESTED = "airing_attested", _("said that a bulletin was aired")
    OUTLET_ENTERED = "outlet_entered", _("entered a station, paper or group of loudspeakers")
    OUTLET_CHANGED = "outlet_changed", _("changed a station, paper or group of loudspeakers")
    HOUSEHOLDS_IMPORTED = "households_imported", _("imported a list of households")
    HOUSEHOLD_CHANGED = "household_changed", _("changed what is stored of a household")
    HOUSEHOLDS_MERGED = "households_merged", _("made two households one, or left them two")
    TURF_CUT = "turf_cut", _("cut a list of doors")
    TURF_CLOSED = "turf_closed", _("closed a list of doors")
    TURF_LEASED = "turf_leased", _("gave a list of doors to a phone")
    LEASE_ENDED = "lease_ended", _("took a list of doors back from a phone")
    PHONE_LOST = "phone_lost", _("reported a phone for house visits lost")
    CONFLICT_DECIDED = "conflict_decided", _("decided between two values of a household")
    GAP_FORCED = "gap_forced", _("took a change of a household although one before it is missing")
    ENTRY_DECIDED = "entry_decided", _("decided on an entry of a phone that was kept aside")
    SHEET_ENTERED = "sheet_entered", _("entered a sheet of house visits")
    LEAFLETS_MOVED = "leaflets_moved", _("booked leaflets")
    SCHOOL_CLASSES_SET = "school_classes_set", _("changed the classes of a school")
    CLASS_LINKS_MADE = "class_links_made", _("made links for classes")
    CLASSES_REPORTED = "classes_reported", _("reported the numbers of classes")
    CLASSES_RETURNED = "classes_returned", _("sent the numbers of classes back")
    SCHOOL_BREAK_SET = "school_break_set", _("set weeks without school")
    VISITOR_TOLD = "visitor_told", _("had the notice sent to a visitor")
    VISITORS_LISTED = "visitors_listed", _("had the notice sent to a list of visitors")
    ALERT_PUBLISHED = "alert_published", _("published an alert for phones")
    ALERT_CANCELLED = "alert_cancelled", _("cancelled an alert for phones")


class AuditEntry(models.Model):
    """One act in the office. Entries form a chain of keyed hashes; hash_chain.py writes and verifies it.

    The database itself refuses to change an entry, and to delete one before its year is over.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)
    action = models.CharField(max_length=40, choices=Act)
    subject = models.CharField(max_length=64)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        app_label = "accounts"
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.action} by {self.actor}"

    @property
    def done(self) -> str:
        """What was done, in the reader's language; get_action_display hashes every act there is for each row."""
        return str(Act(self.action).label)
