# SPDX-License-Identifier: Apache-2.0
"""Two public pages and their URLs: opt out of messages, and the start page of a house's Wi-Fi."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.devices.refusals import PuzzleRequired
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.messaging.sms.opt_outs import opt_out
from bluezone.publicpages.form_limits import FormLimit
from bluezone.publicpages.page_frame import render_page
from bluezone.rollout.visitors.forms import StopForm

# One network address may be that of a whole hotel. The limit stops attempts to opt out all numbers of a city.
_limit = FormLimit(each=10, all_together=300)


def is_cross_site(request: HttpRequest) -> bool:
    """Whether the browser names an origin other than this host."""
    origin = request.headers.get("Origin")
    return bool(origin and urlsplit(origin).netloc != request.get_host())


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def opt_out_number(request: HttpRequest) -> HttpResponse:
    """Opt a number out: 200 done, even if the number is unknown; 403 sent from another site; 422 no mobile number.

    429 solve a puzzle first.
    """
    if request.method != "POST":
        return render_page(request, "public/stop.html", {"form": StopForm()})
    form = StopForm(request.POST)
    if is_cross_site(request):
        refusal = _("Nothing was changed, because the form came from another site. Send it from this site.")
        return render_page(request, "public/stop.html", {"form": form, "refused": refusal}, status=403)
    if not form.is_valid():
        return render_page(request, "public/stop.html", {"form": form}, status=422)
    try:
        _limit.check(request, timezone.now())
    except PuzzleRequired as required:
        return render_page(
            request, "public/stop.html", {"form": form, "challenge": required.challenge.hex()}, status=429
        )
    opt_out(form.cleaned_data["phone"], timezone.now())
    return render_page(request, "public/stop.html", {"done": True})


@require_safe
@audience(EVERYONE)
def wifi_start_page(request: HttpRequest) -> HttpResponse:
    """The start page of a house's or station's Wi-Fi: both languages on one page, no script, one address to type."""
    return render_page(request, "public/wifi.html")


urlpatterns = [
    path("k/stop", opt_out_number, name="stop"),
    path("wifi", wifi_start_page, name="wifi"),
]
