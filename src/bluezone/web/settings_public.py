# SPDX-License-Identifier: Apache-2.0
"""Django's settings for the public origin: no session, no account, no form; the office is another origin."""

from bluezone.web.settings import *  # noqa: F403
from bluezone.web.settings import CITY, SILENCED_SYSTEM_CHECKS, TEMPLATES, _hosts

ROOT_URLCONF = "bluezone.web.urls_public"
ALLOWED_HOSTS = _hosts(CITY.public_host if CITY else None)
CSRF_TRUSTED_ORIGINS = []
# Without a session and without a form there is nothing to forge.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "security.W003"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "bluezone.web.middleware.speak_the_chosen_language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        **TEMPLATES[0],
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "bluezone.web.context.city"],
            "builtins": TEMPLATES[0]["OPTIONS"]["builtins"],
        },
    }
]
