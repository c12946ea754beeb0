# SPDX-License-Identifier: Apache-2.0
"""The part of a phone that checks in: read a poster, begin and end a stay, look at the stays, remove one.

Source: protocol.md section 6; docs/venues.md; specs/attacks.md rows 20, 23, 24 and 42.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bluezone.handset.city.config import CityConfig
from bluezone.handset.exposure.venuechecks import VenueChecks
from bluezone.handset.venues.visits import Visit, Visits
from bluezone.protocol.venues.codes import Venue, check_signature, check_usable, read_venue_link, venue_fingerprint
from bluezone.refusal import Refused


class VenueConfigMissing(Refused):
    """The phone has not fetched the city's config yet, so it knows no key that could have signed a code."""

    code = "venue_config_missing"


@dataclass(frozen=True, slots=True)
class VenueSeen:
    """What a poster says, for the owner to read before checking in.

    type: the Corona-Warn-App's number of the kind of place. fingerprint: to compare with the poster's.
    valid_from, valid_to: Unix seconds, 0 open. temporary: for one event.
    """

    name: str
    address: str
    type: int
    stay_minutes: int
    fingerprint: str
    valid_from: int
    valid_to: int
    temporary: bool


class Visiting:
    """Venues, as their owner meets them. The phone gives it its parts. Nothing here needs the network."""

    city: CityConfig
    _visits: Visits
    _venues: VenueChecks

    def now(self) -> float:
        """Trusted Unix seconds; the phone's."""
        raise NotImplementedError

    def read_venue(self, text: str) -> VenueSeen:
        """Read the text of a QR code and check it; nothing is kept, no address is opened.

        Raises InvalidVenue, VenueForeign, VenueRevoked, VenueNotYet, VenueExpired, VenueConfigMissing.
        """
        venue = self._checked(text)
        return VenueSeen(
            venue.name, venue.address, venue.type, venue.stay_minutes, venue_fingerprint(venue),
            venue.valid_from * 60, venue.valid_to * 60, venue.temporary,
        )  # fmt: skip

    def check_in(self, text: str, *, remember: bool) -> Visit:
        """Begin a stay; it ends by itself after the venue's usual time.

        remember: keep the venue's name in the diary. Raises as `read_venue`.
        """
        return self._visits.begin(self._checked(text), self.now(), remember=remember)

    def check_out(self, visit_id: int) -> Visit:
        """End a stay now. Raises VisitMissing."""
        return self._visits.end(visit_id, self.now())

    def visits(self) -> list[Visit]:
        """The stays of the last 14 days, oldest first."""
        return self._visits.all(self.now())

    def forget_visit(self, visit_id: int) -> None:
        """Remove a stay: it can neither warn nor be reported any more. Raises VisitMissing."""
        self._visits.forget(visit_id)

    def _checked(self, text: str) -> Venue:
        venue = read_venue_link(text)
        config = self.city.held
        if config is None:
            raise VenueConfigMissing("this phone has not fetched the city's settings yet; go online once and try again")
        trusted = {
            int(kid): Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw)) for kid, raw in config.venue_keys.items()
        }
        check_signature(venue, trusted)
        check_usable(venue, self._venues.revoked, self.now())
        return venue
