# SPDX-License-Identifier: Apache-2.0
"""The page of materials, and the files."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper import phrases
from bluezone.paper.city_facts import facts
from bluezone.portal.materials.downloads import BY_FILE, MATERIALS, Material, content
from bluezone.publicpages.assets import KEPT_AN_HOUR, Asset, answer
from bluezone.publicpages.page_frame import show
from bluezone.refusal import Refused
from bluezone.speech.voice import can_speak


@require_safe
@audience(EVERYONE)
def materials(request: HttpRequest) -> HttpResponse:
    """What there is, in both languages."""
    city = facts()
    context = {
        "kinds": [_row(material) for material in MATERIALS if material.ending != "txt"],
        "languages": settings.LANGUAGES,
        "zalo_text": phrases.zalo(city),
        "bulletin_text": phrases.bulletin(city),
    }
    return show(request, "public/materials.html", context)


@require_safe
@audience(EVERYONE)
def material(request: HttpRequest, file: str, language: str) -> HttpResponse:
    """One file: 200, 404 no such, 503 where this server lacks what makes it."""
    found = BY_FILE.get(file)
    if found is None or language not in dict(settings.LANGUAGES):
        raise Http404
    try:
        made = content(found, facts(language))
    except Refused as refused:
        context: dict[str, Any] = {
            "status": 503,
            "title": _("This server cannot make this file"),
            "text": _("A program that makes it is missing. Tell the operator: %(code)s.") % {"code": refused.code},
        }
        return show(request, "public/problem.html", context, status=503)
    response = answer(request, Asset("", made, found.media_type), KEPT_AN_HOUR)
    name = f"bluezone-{found.name}.{language}.{found.ending}"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _row(material: Material) -> dict[str, Any]:
    missing = ""
    if material.ending == "mp3" and not can_speak():
        missing = _("Not on this server: espeak-ng and ffmpeg make it. The text is below; a person’s voice is better.")
    return {"title": material.title, "purpose": material.purpose, "file": material.file, "missing": missing}
