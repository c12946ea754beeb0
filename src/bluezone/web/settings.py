# SPDX-License-Identifier: Apache-2.0
"""Django's settings for the office origin, read from the data folder and the environment.

docs/reference/settings.md explains every variable; the settings of a city are in its city.toml.
"""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from bluezone.city_settings import City, CityMissing, data_folder, load_city
from bluezone.duties.catalogue import installed_apps
from bluezone.logs import logging_configuration
from bluezone.messaging.email.smtp_url import read_smtp_url
from bluezone.messaging.sms.providers import read_sms_url
from bluezone.networks import TLS_VARIABLE, WITH_TLS
from bluezone.office_secrets import office_secret
from bluezone.protocol import languages
from bluezone.web.assets import static_url
from bluezone.web.databases import office_database

WEB = Path(__file__).parent
DATA_FOLDER = data_folder()

try:
    CITY: City | None = load_city(DATA_FOLDER)
except CityMissing:  # before the first start, and in a test run that names no folder
    CITY = None

SECRET_KEY = office_secret(DATA_FOLDER, "django")
DEBUG = False
# "1" if TLS ends in front of this process (Caddy, nginx); `serve --tls` sets "self" or "own" for its own processes.
TLS_MODE = os.environ.get(TLS_VARIABLE, "0")
TLS = TLS_MODE in WITH_TLS

LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


def _hosts(host: str | None) -> list[str]:
    """Host names a request may have: the city's own without port, this machine's, and what `serve --host` adds."""
    own = [host.rsplit(":", 1)[0]] if host else []
    return [*own, *LOOPBACK, *filter(None, os.environ.get("BLUEZONE_ALLOWED_HOSTS", "").split(","))]


ALLOWED_HOSTS = _hosts(CITY.office_host if CITY else None)
CSRF_TRUSTED_ORIGINS: list[str] = [f"https://{CITY.office_host}"] if CITY and TLS else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "bluezone.web",
    *installed_apps(),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "bluezone.web.middleware.forbid_caching",
    "bluezone.web.middleware.use_chosen_language",
    "bluezone.web.middleware.refuse_large_bodies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "bluezone.training.TrainingMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bluezone.web.middleware.report_stored_form",
]
ROOT_URLCONF = "bluezone.web.urls_office"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bluezone.web.context.city",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "bluezone.web.templatetags.local"],
            # Tag libraries that only pages of one app need; {% load shares %} and so on.
            "libraries": {
                "exchange": "bluezone.rollout.directives.exchange.exchange_tags",
                "health": "bluezone.healthauthority.health_tags",
                "portal": "bluezone.portal.portal_tags",
                "shares": "bluezone.rollout.coverage.shares",
            },
        },
    }
]
FORM_RENDERER = "bluezone.web.context.HouseRenderer"
DATABASES = {
    "default": office_database(
        DATA_FOLDER, os.environ.get("BLUEZONE_OFFICE_URL") or os.environ.get("BLUEZONE_DATABASE_URL")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "agency")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign-in"

# One shift, then the password is needed again; closing the browser ends a session sooner.
SESSION_ENGINE = "bluezone.identity.signin.sessions"
SESSION_COOKIE_AGE = 10 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "__Host-bluezone-session" if TLS else "bluezone-session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = TLS
CSRF_COOKIE_NAME = "__Host-bluezone-csrf" if TLS else "bluezone-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = TLS
CSRF_FAILURE_VIEW = "bluezone.web.errors.form_expired"
# Off with a local certificate authority: a browser that no longer trusts it must still reach the host.
SECURE_HSTS_SECONDS = 365 * 86_400 if TLS and TLS_MODE != "self" else 0
SECURE_SSL_REDIRECT = TLS
# No HSTS for subdomains: whether all of them use TLS is not known here.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS_MODE == "1" else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Staff listen to bulletins before they approve them.
        "media-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# The largest request is a letter of 10 MB in base64 within an exchange file; a larger one is refused unread.
MAX_BODY_BYTES = 16 * 1024 * 1024
# The largest form fields without files: a pasted table or a bulletin's text, 18,000 characters or at most 54 KB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# The page of a letter with 40 clauses has several fields for each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400

USE_I18N = True
USE_TZ = True
LANGUAGE_CODE = "vi"
LANGUAGES = list(languages.LANGUAGES.items())
# Further languages for visitors: these pages are then in English, and the web edition in that language.
VISITOR_LANGUAGES = [("zh", "中文版应用（本网站仅有越南文和英文）")]
LANGUAGE_COOKIE_NAME = "bluezone-language"
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_SECURE = TLS
LOCALE_PATHS = [WEB / "locale"]
TIME_ZONE = CITY.zone if CITY else "Asia/Ho_Chi_Minh"

STATIC_URL = static_url()

_OFFICE_NAME = CITY.office_host.rsplit(":", 1)[0] if CITY else "localhost"
SMTP = read_smtp_url(os.environ.get("BLUEZONE_SMTP_URL"), f"bluezone@{_OFFICE_NAME}")
EMAIL_TIMEOUT = 20
if SMTP:
    EMAIL_HOST = SMTP.host
    EMAIL_PORT = SMTP.port
    EMAIL_HOST_USER = SMTP.user
    EMAIL_HOST_PASSWORD = SMTP.password
    EMAIL_USE_SSL = SMTP.ssl
    EMAIL_USE_TLS = SMTP.starttls
    DEFAULT_FROM_EMAIL = SMTP.sender

SMS = read_sms_url(os.environ.get("BLUEZONE_SMS_URL"))

LOGGING = logging_configuration()
