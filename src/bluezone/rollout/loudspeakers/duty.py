# SPDX-License-Identifier: Apache-2.0
"""Loudspeakers: what they register of themselves."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, FirstPage, Work
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS

DUTY = Duty(
    name="loudspeakers",
    app="bluezone.rollout.loudspeakers",
    urls="bluezone.rollout.loudspeakers.urls",
    public_urls="bluezone.rollout.loudspeakers.endpoints",
    api_prefix="/v1/speakers/",
    acts={
        "live_address_begun": _("started to speak live on loudspeakers"),
        "live_address_ended": _("ended a live address"),
    },
    purges=(Work("purge_addresses", "bluezone.rollout.loudspeakers.live.end_and_purge_addresses"),),
    first_pages=(FirstPage(AIRING_KEEPERS, "loudspeakers", 80, _("See the loudspeakers")),),
    indicators=("bluezone.rollout.loudspeakers.playback.AiredProven",),
)
