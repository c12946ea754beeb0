# SPDX-License-Identifier: Apache-2.0
"""Purges of a test: one that fails as a database does, and one that notes when it ran."""

from django.db import DatabaseError

done = []
ROW = "0912 345 678"


def fails(now):
    raise DatabaseError(f"disk I/O error at the row of {ROW}")


def works(now):
    done.append(now)
