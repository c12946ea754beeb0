# SPDX-License-Identifier: Apache-2.0
"""Where the Android double is asked for by a test."""

import pytest
from tests.radio.androiddouble import installed


@pytest.fixture
def android_double():
    """Within this, bluezone.radio.android finds the double instead of Java."""
    with installed():
        yield
