# SPDX-License-Identifier: Apache-2.0
"""Django's settings for the public origin: no session, no account; the office is another origin."""

from csp.constants import SELF

from bluezone.web.settings import *  # noqa: F403
from bluezone.web.settings import CITY, CONTENT_SECURITY_POLICY, SILENCED_SYSTEM_CHECKS, TEMPLATES, _hosts

ROOT_URLCONF = "bluezone.web.urls_public"
ALLOWED_HOSTS = _hosts(CITY.public_host if CITY else None)
CSRF_TRUSTED_ORIGINS = []
# Without a session there is nothing to forge; the only form, for help, checks the Origin that the browser sends.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "security.W003"]
# The web edition also needs its manifest, its service worker, codes drawn on the phone, and sound.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        **CONTENT_SECURITY_POLICY["DIRECTIVES"],
        "img-src": [SELF, "blob:", "data:"],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "media-src": [SELF, "blob:"],
    }
}
# The largest body is a photograph of a house visit, 600 kB; gates and house visits upload half a megabyte at most.
MAX_BODY_BYTES = 1024 * 1024
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "bluezone.web.errors.answer_api_errors_as_json",
    # A public page contains nothing secret, so its compressed size reveals nothing.
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "bluezone.web.middleware.use_readers_language",
    "bluezone.web.middleware.refuse_large_bodies",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        **TEMPLATES[0],
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "bluezone.web.context.city"],
            "builtins": TEMPLATES[0]["OPTIONS"]["builtins"],
            "libraries": TEMPLATES[0]["OPTIONS"]["libraries"],
        },
    }
]
