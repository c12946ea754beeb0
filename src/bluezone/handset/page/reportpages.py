# SPDX-License-Identifier: Apache-2.0
"""The pages of a report: the code, the consent that shows exactly what is sent, and the list of what was sent.

Source: ../shared/look/texts.md section 3; design.md, promise 2.
"""

from html import escape

from bluezone.handset.page.frame import icon, page, paragraph
from bluezone.handset.page.words import Words
from bluezone.handset.phone import Handset
from bluezone.handset.reporting import ReportDraft, ReportOutcome, unix_day
from bluezone.refusal import Refused


def code_page(words: Words, base: str, refused: Refused | None = None) -> str:
    """Asks for the code. refused: why the one before was not accepted."""
    _ = words.gettext
    text = _(
        "Your health worker gives you a code of 12 digits, or a link. Nothing is sent before you agree on the"
        " next page, except the code itself, to see what it is worth."
    )
    body = [refusal_note(words, refused)] if refused else []
    body.append(
        f'<section class="card form"><h1>{escape(_("Warn the people you met"))}</h1>{paragraph(text)}'
        f'<form method="post" action="{base}report"><label for="code">'
        f"{escape(_('12-digit code from your health worker'))}"
        f'</label><input id="code" name="code" type="text" inputmode="numeric" autocomplete="off" required'
        f' maxlength="200">'
        f'<div class="row"><button class="button">{escape(_("Continue"))}</button>'
        f'<a class="button quiet" href="{base}">{escape(_("Not now"))}</a></div></form></section>'
    )
    return page(words, _("Warn the people you met"), body, base=base, path="report")


def consent_page(words: Words, base: str, draft: ReportDraft) -> str:
    """Shows exactly what will be sent and asks for agreement."""
    _ = words.gettext
    count = len(draft.days)
    sent = words.ngettext(
        "Will be sent: this phone's random codes for {count} day, as chosen below.",
        "Will be sent: this phone's random codes for {count} days, as chosen below.",
        count,
    ).format(count=count)
    texts = [
        _("Not sent: name, phone number, location, the list of people you met, the log on this phone."),
        _(
            "Phones that were near yours recognise the codes and warn their owners. They learn the day and about "
            "how long, not that it was you. If they met few people that day, they may guess."
        ),
        _(
            "It cannot be taken back once sent. The codes leave the server after 14 days. Your treatment does not"
            " depend on sending."
        ),
    ]
    choices = "".join(
        f'<label class="choice"><input type="checkbox" name="day" value="{day}" checked>'
        f"{escape(words.long_date(unix_day(day)))}</label>"
        for day in draft.days
    )
    body = [
        f'<section class="card form"><h1>{escape(_("Warn the people you met"))}</h1>'
        f"<p><strong>{escape(sent)}</strong></p>{''.join(paragraph(text) for text in texts)}"
        f'<form method="post" action="{base}report/send"><fieldset><legend>'
        f"{escape(_('Choose days (leave out any you do not want to send)'))}</legend>{choices}</fieldset>"
        f"{paragraph(_('A day here runs from 00:00 to 24:00 UTC (07:00 to 07:00 in Vietnam).'), 'soft')}"
        f'<div class="row"><button class="button" name="consent" value="yes">{icon("send")}'
        f"{escape(_('Agree and send'))}</button>"
        f'<a class="button quiet" href="{base}">{escape(_("Not now"))}</a></div></form></section>'
    ]
    return page(words, _("Warn the people you met"), body, base=base, path="report")


def done_page(words: Words, base: str, handset: Handset, outcome: ReportOutcome) -> str:
    """Says that the report was sent, or when it will be."""
    _ = words.gettext
    at = words.moment(handset.local(outcome.upload_at), handset.today())
    told = (
        _("Sent at {at}. Other phones get each day's codes a few hours after that day has ended. Thank you.")
        if outcome.state == "sent"
        else _("Your report is ready and will be sent by itself at about {at}. No new code is needed.")
    )
    body = [
        f'<section class="card state ok">{icon("ok", 56)}<div><h1>{escape(_("Thank you"))}</h1>'
        f'{paragraph(told.format(at=at))}<a class="button" href="{base}">{escape(_("Back to the home page"))}</a>'
        f"</div></section>"
    ]
    return page(words, _("Thank you"), body, base=base)


def sent_page(words: Words, base: str, handset: Handset) -> str:
    """Everything of the owner's that ever left the phone, and random packets on a line of their own."""
    _ = words.gettext
    kinds = {
        "code_checked": _("The code, to see what it is worth"),
        "certificate_asked": _("The code and a blinded number, for the certificate"),
        "keys_sent": _("Random codes of these days: {days}"),
        "declared": _("A sealed declaration to the health authority about your warning of {days}"),
    }
    outcomes = {
        "accepted": _("accepted"), "refused": _("refused"), "not_reached": _("did not arrive"),
        "unknown": _("unknown, the phone stopped"),
    }  # fmt: skip
    rows = "".join(
        f"<tr><td>{escape(words.moment(handset.local(sent.unix_seconds), handset.today()))}</td><td>"
        f"{escape(kinds[sent.kind].format(days=', '.join(words.short_date(unix_day(day)) for day in sent.days)))}"
        f'<br><span class="tag">{escape(outcomes[sent.outcome])}</span></td></tr>'
        for sent in reversed(handset.sent())
    )
    uploads = sum(sent.kind == "keys_sent" and sent.outcome == "accepted" for sent in handset.sent())
    first = words.ngettext("Your data was sent {count} time.", "Your data was sent {count} times.", uploads)
    random_line = _(
        "Random packets: {count}. Phones send empty packets now and then so that nobody can tell who is reporting."
    )
    body = [
        f'<section class="card form"><h1>{escape(_("What this phone has sent"))}</h1>'
        f"<p><strong>{escape(first.format(count=words.number(uploads)))}</strong></p>"
        f"{paragraph(random_line.format(count=words.number(handset.sent_log.random_packets)))}"
        + (f"<table>{rows}</table>" if rows else paragraph(_("Nothing of yours has left this phone."), "soft"))
        + f'<a class="button quiet" href="{base}">{escape(_("Back to the home page"))}</a></section>'
    ]
    return page(words, _("What this phone has sent"), body, base=base, path="sent")


def refusal_note(words: Words, refused: Refused) -> str:
    """What happened, what was kept, what to do: in the owner's language, by the refusal's code."""
    _ = words.gettext
    texts = {
        "code_malformed": _("That is not a code. Check the 12 digits, in fours. Nothing has been sent."),
        "code_wrong": _(
            "That code is not right. Check the 12 digits, in fours. Many wrong tries mean a wait. Your random "
            "codes were not sent."
        ),
        "code_used_or_expired": _(
            "This code no longer works (used or expired). Ask your health worker for a new one. Your random codes"
            " were not sent."
        ),
        "offline": _("Not sent: no network. Everything is kept on this phone; try again when there is network."),
        "week_key_untrusted": _(
            "The server named a key that was not announced to all phones. Nothing was sent. Ask your health "
            "worker, and try again tomorrow."
        ),
        "nothing_to_report": _(
            "There is nothing to send: this phone has no random codes of those days, or no day was chosen."
        ),
        "report_pending": _("A report is ready and goes by itself. No new code is needed."),
        "consent_missing": _("Nothing was sent, because you have not agreed."),
        "trust_missing": _("This phone has not been told whose lists to believe. Start it again with --trust."),
    }  # fmt: skip
    told = texts.get(refused.code) or _(
        "That did not work ({code}). Everything on this phone is kept. Try again later."
    )
    text = paragraph(told.format(code=refused.code))
    return f'<section class="card note refusal alert form">{icon("warn")}{text}</section>'
