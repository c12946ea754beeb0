# SPDX-License-Identifier: Apache-2.0
import pytest
from django.utils import timezone
from tests.builders.gates import gate
from tests.devices.conftest import public

__all__ = ["public"]


@pytest.fixture
def open_gate(db):
    """A gate and its tablet's token."""
    return gate(now=timezone.now())
