# SPDX-License-Identifier: Apache-2.0
"""The baseline of bench_upload: the upload endpoint as a plain Django view with the usual middleware and the ORM."""

import hashlib
import time
from pathlib import Path
from typing import Any, ClassVar

from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.service import KeyServer
from bluezone.networks import network_of
from bluezone.protocol.blindrsa import PublicKey, verify
from bluezone.protocol.intervals import day_at, hour_at
from bluezone.protocol.upload import (
    Status,
    UploadAnswer,
    check_keys,
    check_slots,
    commitment,
    decode_upload,
    encode_upload_answer,
)

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def application(folder: Path, server: KeyServer) -> Any:
    """A WSGI callable with its own SQLite file in `folder`, and the week keys of `server`."""
    import django
    from django.conf import settings

    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "view.sqlite3",
                               "OPTIONS": options, "CONN_MAX_AGE": None}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
                        "django.contrib.messages"],
        MIDDLEWARE=MIDDLEWARE, ROOT_URLCONF=__name__, SECRET_KEY="bench", ALLOWED_HOSTS=["*"], USE_TZ=True,
    )  # fmt: skip
    django.setup()
    _make_view(server)
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


urlpatterns: list[Any] = []


def _make_view(server: KeyServer) -> None:
    from django.db import connection, models, transaction
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt
    from django.views.decorators.http import require_POST

    class Spent(models.Model):
        objects: ClassVar[Any] = models.Manager()
        digest = models.BinaryField(primary_key=True)
        accept_until = models.BigIntegerField()

        class Meta:
            app_label = "bench"

    class Key(models.Model):
        objects: ClassVar[Any] = models.Manager()
        key = models.BinaryField(unique=True)
        start = models.IntegerField(db_index=True)
        level = models.SmallIntegerField()
        klass = models.SmallIntegerField()
        received_hour = models.IntegerField()

        class Meta:
            app_label = "bench"

    class UploadCount(models.Model):
        objects: ClassVar[Any] = models.Manager()
        day = models.IntegerField()
        klass = models.SmallIntegerField()
        uploads = models.IntegerField(default=0)

        class Meta:
            app_label = "bench"
            unique_together = (("day", "klass"),)

    with connection.schema_editor() as editor:
        editor.create_model(UploadCount)
        editor.create_model(Spent)
        editor.create_model(Key)
    limits = Limits(bytes(32), time.time, lambda hour: None)

    def taken(body: bytes) -> Status:
        request = decode_upload(body)
        digest = hashlib.sha256(request.signature).digest()
        if Spent.objects.filter(pk=digest).exists():
            return Status.OK
        now = time.time()
        key = server.secrets.week_keys.find_key(request.kid)
        if key is None or not key.use_from <= now < key.accept_until:
            return Status.KID_REFUSED
        signed = request.rand + commitment(request.salt, request.keys, request.slots)
        if not verify(PublicKey(key.n, key.e), signed, request.signature):
            return Status.SIGNATURE_INVALID
        check_keys(request.keys, day_at(now))
        check_slots(request.slots, int(now))
        with transaction.atomic():
            Spent.objects.create(digest=digest, accept_until=key.accept_until)
            Key.objects.bulk_create(
                Key(key=k.key, start=k.start, level=k.level, klass=key.klass, received_hour=hour_at(now))
                for k in request.keys
            )
            count = UploadCount.objects.filter(day=day_at(now), klass=key.klass)
            if not count.update(uploads=models.F("uploads") + 1):
                UploadCount.objects.create(day=day_at(now), klass=key.klass, uploads=1)
        return Status.OK

    @csrf_exempt
    @require_POST
    def upload(request: HttpRequest) -> HttpResponse:
        network = network_of(request.META["REMOTE_ADDR"], request.META.get("HTTP_X_FORWARDED_FOR"), ())
        challenge = limits.challenge_for(network, request.body[-40:-8], request.body[-8:])
        answer = (
            UploadAnswer(status=taken(request.body))
            if challenge is None
            else UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        )
        return HttpResponse(encode_upload_answer(answer), content_type="application/octet-stream")

    urlpatterns.append(path("v1/upload", upload))
