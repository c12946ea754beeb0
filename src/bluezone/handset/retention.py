# SPDX-License-Identifier: Apache-2.0
"""How long a phone retains its data, and the purge that deletes older data.

| what | retained |
|---|---|
| encounters, own keys, sightings, exposures, stays | 14 days: `RETAINED_DAYS` |
| codes of the owner's events | 14 days after the event: `event_codes.EVENT_RETAINED_SECONDS` |
| the journal | 30 days: `journal.RETAINED_DAYS` |

The agent purges once an hour. The phone also purges when it is opened and after each check.
"""

from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.encounters import Encounters
from bluezone.handset.journal import Journal
from bluezone.handset.venues.event_codes import Events
from bluezone.handset.venues.stays import Stays
from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS

# Older keys cannot be uploaded, so older encounters cannot match.
RETAINED_DAYS = MAX_KEY_AGE_DAYS


def purge_handset(time: PhoneTime, encounters: Encounters, stays: Stays, events: Events, journal: Journal) -> int:
    """Delete older data, if the time is known. Return the number of deleted rows, without events and the journal."""
    if not time.source.is_known:
        return 0
    now = time.now()
    stays.end_planned_stays(now)
    journal.purge()
    events.purge()
    return encounters.purge(day_at(now) - RETAINED_DAYS, day_at(now))
