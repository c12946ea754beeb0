# SPDX-License-Identifier: Apache-2.0
"""A page that forgot to say who may open it."""

from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("forgotten/", lambda request: HttpResponse("open to all"))]
