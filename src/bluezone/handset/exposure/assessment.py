# SPDX-License-Identifier: Apache-2.0
"""The part of a phone that judges: what was found so far, as of today, and what its owner is told of it.

Source: protocol.md section 3.
"""

from datetime import date

from bluezone.handset.city.config import CityConfig
from bluezone.handset.exposure.exposures import Exposures
from bluezone.handset.exposure.venuechecks import VenueChecks
from bluezone.handset.exposure.warnings import Warning, venue_warnings_of, warnings_of
from bluezone.handset.venues.visits import Visit
from bluezone.protocol.risk.assessment import Assessment, Level, parse_profile
from bluezone.protocol.venues.overlaps import VenueDay


class Judging:
    """Levels, days and warnings. The phone gives it its parts."""

    city: CityConfig
    _exposures: Exposures
    _venues: VenueChecks

    def today(self) -> date:
        """The local date; the phone's."""
        raise NotImplementedError

    def visits(self) -> list[Visit]:
        """The stays; the phone's."""
        raise NotImplementedError

    def assessment(self) -> Assessment:
        """Levels and days as of today, from what was found so far."""
        config = self.city.held
        if config is None:
            return Assessment("none", ())
        return self._exposures.assess(parse_profile(config.profile), self.today())

    def venue_days(self) -> list[VenueDay]:
        """What the venues amount to as of today, day by day, from what was found so far."""
        config = self.city.held
        return [] if config is None else self._venues.assess(parse_profile(config.profile), self.today())

    def level(self) -> Level:
        """The level of the worst day, near a case or at a venue."""
        levels = {self.assessment().level, *(day.level for day in self.venue_days())}
        return "high" if "high" in levels else "low" if "low" in levels else "none"

    def warnings(self) -> list[Warning]:
        """What the owner is told, latest day first; of one day, contacts before venues."""
        config = self.city.held
        if config is None:
            return []
        labels = {visit.id: visit.label for visit in self.visits()}
        told = warnings_of(self.assessment(), config) + venue_warnings_of(self.venue_days(), labels, config)
        return sorted(told, key=lambda warning: warning.day, reverse=True)
