# SPDX-License-Identifier: Apache-2.0
"""The desk: what it registers of itself."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, MenuEntry, Work

DUTY = Duty(
    name="desk",
    app="bluezone.desk",
    urls="bluezone.desk.urls",
    menu=(MenuEntry(_("My work"), "first-page", 1, ("first", "find")),),
    every_tick=(Work("tell_of_work", "bluezone.desk.notices.notify"),),
)
