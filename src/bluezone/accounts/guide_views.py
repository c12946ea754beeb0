# SPDX-License-Identifier: Apache-2.0
"""How to work: the page of one's own role, and those of the others, to read and to print."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.guiding import guide, guided_roles
from bluezone.accounts.models import Role
from bluezone.accounts.scoping import roles_of
from bluezone.accounts.training import also_in_training


@also_in_training
@require_safe
@audience(Audience.ACCOUNT_HOLDERS)
def guides(request: OfficeRequest) -> HttpResponse:
    """Every role that has a page, the reader's own first."""
    own = roles_of(request.user)
    pages = sorted(((role in own, Role(role)) for role in guided_roles()), key=lambda page: not page[0])
    return render(request, "accounts/guides.html", {"pages": pages})


@also_in_training
@require_safe
@audience(Audience.ACCOUNT_HOLDERS)
def one_guide(request: OfficeRequest, role: str) -> HttpResponse:
    """The page of one role, on one sheet of A4 when printed."""
    if role not in guided_roles():
        raise Http404
    context = {"blocks": guide(role, get_language() or "vi"), "role": Role(role)}
    return render(request, "accounts/guide.html", context)
