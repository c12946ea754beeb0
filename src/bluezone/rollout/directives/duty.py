# SPDX-License-Identifier: Apache-2.0
"""Directives: what they register of themselves."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Audience, Duty, FirstPage, Group, MenuEntry, Work

# Who takes in and sends directives, and who approves them; scopes say for which agency.
DIRECTIVE_CLERKS = Audience("DIRECTIVE_CLERKS", frozenset({"clerk", "issuer"}))
DIRECTIVE_SIGNERS = Audience("DIRECTIVE_SIGNERS", frozenset({"issuer"}))
# Whose work begins at the inbox, and who reads how far it has got.
DIRECTIVE_WORKERS = Audience("DIRECTIVE_WORKERS", frozenset({"clerk", "lead", "officer", "issuer"}))

DUTY = Duty(
    name="directives",
    app="bluezone.rollout.directives",
    urls="bluezone.rollout.directives.urls",
    audiences=(DIRECTIVE_CLERKS, DIRECTIVE_SIGNERS, DIRECTIVE_WORKERS),
    acts={
        "period_reopened": _("reopened a report period for an agency"),
        "directive_submitted": _("submitted a directive for signing"),
        "directive_taken_back": _("withdrew a submitted directive"),
        "directive_returned": _("returned a directive to its clerk"),
        "directive_numbered": _("gave a directive its number and day"),
        "signed_copy_kept": _("kept the signed PDF of a directive"),
        "draft_deleted": _("deleted the draft of a directive"),
        "recipient_added": _("sent a directive to one more agency"),
        "recipient_recalled": _("recalled a directive from one agency"),
        "document_handed_over": _("recorded that a document was handed over on paper"),
        "document_handed_on": _("passed a document of a closed agency to its successor"),
        "completion_accepted": _("accepted a task as done by an agency"),
        "completion_reopened": _("did not accept a task as done by an agency yet"),
        "directive_approved": _("approved a directive"),
        "directive_reopened": _("turned an approved directive back into a draft"),
        "directive_issued": _("issued a directive"),
        "directive_replaced": _("replaced a directive"),
        "directive_revoked": _("recalled a directive"),
        "document_sent_back": _("sent a document back"),
        "report_returned": _("returned a report"),
        "report_locked": _("accepted a report, which locks it"),
        "edxml_exported": _("created an exchange file"),
        "edxml_imported": _("imported an exchange file"),
        "certificate_pinned": _("entered a certificate of another office"),
        "certificate_removed": _("removed a certificate of another office"),
        "partner_address_set": _("set the address of another office"),
    },
    menu=(
        MenuEntry(
            _("Directives"),
            "inbox",
            20,
            ("inbox", "directives", "directive", "register", "task", "campaigns", "campaign"),
            used_by=DIRECTIVE_WORKERS.roles,
            group=Group.LETTERS,
        ),
    ),
    waiting="bluezone.rollout.directives.matters.matters_of",
    search="bluezone.rollout.directives.search.search",
    open_at="bluezone.rollout.directives.matters.open_at",
    first_pages=(
        FirstPage(DIRECTIVE_CLERKS, "directive-new", 30, _("Write a letter")),
        FirstPage(DIRECTIVE_WORKERS, "inbox", 31, _("Open the inbox")),
    ),
    purges=(Work("purge_directives", "bluezone.rollout.directives.retention.purge"),),
    hourly=(
        Work("follow_successors", "bluezone.rollout.directives.issuance.recipient_changes.follow_successors"),
        Work("queue_digests", "bluezone.rollout.directives.inbox.digests.queue_daily"),
    ),
    threads=(Work("exchange", "bluezone.rollout.directives.exchange.courier.carry_until"),),
    reversers={
        "report-accepted": "bluezone.rollout.directives.reports.report_views.take_acceptance_back",
        "period-answered": "bluezone.rollout.directives.reports.report_views.let_the_request_wait",
        "request-answered": "bluezone.rollout.directives.inbox.inbox_views.let_the_request_wait",
    },
    demo="bluezone.rollout.directives.demo.plant_with_campaign",
)
