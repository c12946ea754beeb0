# SPDX-License-Identifier: Apache-2.0
"""Loudspeakers: what they register of themselves."""

from bluezone.duties.duty import Duty, FirstPage
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS

DUTY = Duty(
    name="loudspeakers",
    app="bluezone.rollout.loudspeakers",
    urls="bluezone.rollout.loudspeakers.urls",
    public_urls="bluezone.rollout.loudspeakers.endpoints",
    api_prefix="/v1/speakers/",
    first_pages=(FirstPage(AIRING_KEEPERS, "loudspeakers", 80),),
    indicators=("bluezone.rollout.loudspeakers.playback.AiredProven",),
)
