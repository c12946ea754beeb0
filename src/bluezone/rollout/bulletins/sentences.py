# SPDX-License-Identifier: Apache-2.0
"""The sentences that the pages of bulletins show for refusals."""

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from bluezone.refusal import Refused
from bluezone.rollout.bulletins.air.timetable import ScheduleInQuietHours, ScheduleOverlaps

_SENTENCES = {
    "bulletin_withdrawn": lambda: _("The bulletin was withdrawn. Nothing was changed: write a new one."),
    "recording_unreadable": lambda: _(
        "The recording is damaged or is not MP3, WAV, M4A, OGG, FLAC or WebM. Nothing was stored: play it on your "
        "own machine, save it as MP3 and send it again."
    ),
    "recording_too_long": lambda: _(
        "A recording must last from 1 second to 10 minutes. Nothing was stored: trim it to the bulletin "
        "and send it again."
    ),
    "recording_silent": lambda: _(
        "The recording is silent. Nothing was stored: check the microphone and record again."
    ),
    "sound_unavailable": lambda: _(
        "This server has no program for sound (espeak-ng, ffmpeg). Nothing was stored: ask its operator "
        "to install them."
    ),
    "listened_too_short": lambda: _("Please listen to the end; skipping does not count. Nothing was changed."),
    "not_listened": lambda: _("Please listen to this version to the end first. Nothing was changed."),
    "approver_is_author": lambda: _(
        "You cannot approve a version that you wrote. Nothing was changed: ask another editor or the "
        "head of the agency."
    ),
    "script_without_sound": lambda: _("There is no sound yet. Add a person’s recording first."),
    "script_not_approved": lambda: _(
        "A language that is to be aired has no approved text. Nothing was stored: have it approved first."
    ),
    "schedule_never_due": lambda: _("This schedule has no future days. Nothing was stored: check the days."),
    "schedule_ends_before_start": lambda: _(
        "The last day is before the first. Nothing was stored: correct one of them."
    ),
    "schedule_unreadable": lambda: _("The schedule has no time of day. Nothing was stored."),
    "not_an_emergency": lambda: _("Only a bulletin of the class Emergency can be aired at once. Nothing was changed."),
    "airing_not_yet": lambda: _("This airing is in the future. Nothing was stored."),
    "airing_already_said": lambda: _("The result of this airing has already been recorded. Nothing was changed."),
    "airing_without_evidence": lambda: _(
        "For radio, television, newspapers and websites “Aired” needs a link or a photo as evidence. Nothing was "
        "stored: add one of them."
    ),
    "photo_unreadable": lambda: _("The photo is not a readable JPEG or PNG. Nothing was stored."),
    "outlet_name_taken": lambda: _("This name is already used. Nothing was stored: choose another name."),
}


def sentence_of(refused: Refused) -> str:
    """The sentence of a refusal in the reader's language."""
    if isinstance(refused, ScheduleInQuietHours):
        return _(
            "%(time)s is in the quiet hours of %(outlet)s, when only emergencies are aired. Nothing was stored:"
            " choose another time or another place."
        ) % {"time": f"{refused.time:%H:%M}", "outlet": refused.outlet.name}
    if isinstance(refused, ScheduleOverlaps):
        at = localtime(refused.at)
        return _(
            "This bulletin is already scheduled at %(outlet)s at %(time)s on %(day)s. Nothing was stored: choose"
            " another time, or stop the other schedule."
        ) % {"outlet": refused.outlet.name, "time": f"{at:%H:%M}", "day": date_format(at.date(), "j/n/Y")}
    return _SENTENCES.get(refused.code, lambda: refused.message)()
