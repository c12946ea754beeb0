# SPDX-License-Identifier: Apache-2.0
"""The city of this office, for code that runs only after setup."""

from django.conf import settings

from bluezone.city_settings import City, CityMissing


def present_city() -> City:
    """The city of the data folder. Raises CityMissing before the first start."""
    city: City | None = settings.CITY
    if city is None:
        raise CityMissing("there is no city.toml yet; `bluezone serve` writes one")
    return city
