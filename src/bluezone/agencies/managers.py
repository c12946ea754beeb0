# SPDX-License-Identifier: Apache-2.0
"""How units and agencies are picked out: by the day they are in force, and by words without diacritics."""

import datetime
from typing import TypeVar

from django.db import models
from django.db.models import Q

from bluezone.agencies.folding import fold

_Row = TypeVar("_Row", bound=models.Model)


class ValidityQuerySet(models.QuerySet[_Row]):
    """Rows with `valid_from` (null: from before our knowledge) and `valid_to` (null: open), and a `folded` text."""

    def in_force(self, day: datetime.date) -> "ValidityQuerySet[_Row]":
        """Rows that hold on `day`; `valid_to` is the first day on which a row holds no more."""
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
        return self.filter(begun, Q(valid_to__isnull=True) | Q(valid_to__gt=day))

    def matching(self, text: str) -> "ValidityQuerySet[_Row]":
        """Rows whose name, short name or code contains every word of `text`, whatever its case and diacritics."""
        found = self
        for word in fold(text.replace("\0", " ")).split():  # PostgreSQL refuses a question with a NUL in it
            found = found.filter(folded__contains=word)
        return found

    def below(self, path: str) -> "ValidityQuerySet[_Row]":
        """The row with this path and everything under it."""
        return self.filter(path__startswith=path)
