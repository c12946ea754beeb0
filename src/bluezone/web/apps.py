# SPDX-License-Identifier: Apache-2.0
"""The Django app with what all pages share."""

from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import pre_migrate


class WebConfig(AppConfig):
    """Shared templates, static files and message catalogues."""

    name = "bluezone.web"

    def ready(self) -> None:
        """Register Django's checks of routes and objects, and the function that makes the schema before migrations."""
        from bluezone.identity.audiences import check_every_route
        from bluezone.identity.objects import check_every_object

        register(check_every_route)
        register(check_every_object)
        # Django sends the signal for apps that have models; this one has none.
        pre_migrate.connect(make_office_schema)


def make_office_schema(using: str, **_: Any) -> None:
    """On PostgreSQL create the schema for the office's tables, before its first table."""
    from django.db import connections

    from bluezone.web.databases import OFFICE_SCHEMA

    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Looked up first, because CREATE SCHEMA needs a right even if the schema exists.
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [OFFICE_SCHEMA])
            if not cursor.fetchone():
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {OFFICE_SCHEMA}")
