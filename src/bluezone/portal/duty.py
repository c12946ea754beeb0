# SPDX-License-Identifier: Apache-2.0
"""What the public site and its news desk register."""

from django.utils.translation import gettext_lazy as _

from bluezone.duties.duty import Duty, FirstPage, Group, MenuEntry, Work
from bluezone.identity.duty import EDITORS

DUTY = Duty(
    name="portal",
    app="bluezone.portal",
    urls="bluezone.portal.urls",
    public_urls="bluezone.portal.urls_public",
    acts={
        "news_written": _("wrote a news text"),
        "news_published": _("published news"),
        "news_corrected": _("corrected news"),
        "news_withdrawn": _("withdrew news"),
    },
    waiting="bluezone.portal.matters.matters_of",
    search="bluezone.portal.news.search_news",
    menu=(MenuEntry(_("News"), "news-desk", 40, ("news",), EDITORS, group=Group.PUBLIC),),
    first_pages=(FirstPage(EDITORS, "news-desk", 70, _("Open the news desk")),),
    hourly=(Work("log_programs", "bluezone.portal.programs.log_programs"),),
)
