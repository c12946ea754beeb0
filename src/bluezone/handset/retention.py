# SPDX-License-Identifier: Apache-2.0
"""How long a phone retains what it stores, and the purge that deletes what is older.

| what | retained |
|---|---|
| encounters, own keys, sightings, exposures, stays | 14 days: `RETAINED_DAYS` |
| codes of the owner's events | 14 days after the event: `event_codes.EVENT_RETAINED_SECONDS` |
| the journal | 30 days: `journal.RETAINED_DAYS` |

The agent purges once an hour; the phone also when it is opened and after each check.
"""

from bluezone.handset.clocks import PhoneTime
from bluezone.handset.encounters.encounters import Encounters
from bluezone.handset.journal import Journal
from bluezone.handset.venues.event_codes import Events
from bluezone.handset.venues.visits import Visits
from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload import MAX_KEY_AGE_DAYS

# No older key can be uploaded, so an older encounter cannot match one.
RETAINED_DAYS = MAX_KEY_AGE_DAYS


def purge(time: PhoneTime, encounters: Encounters, visits: Visits, events: Events, journal: Journal) -> int:
    """Delete what is older than it may be, if the time is known; return the number of deleted rows."""
    if not time.source.is_known:
        return 0
    now = time.now()
    visits.end_planned(now)
    journal.purge()
    events.purge()
    return encounters.purge(day_at(now) - RETAINED_DAYS, day_at(now))
