# SPDX-License-Identifier: Apache-2.0
"""Fixtures that every part of the suite may use."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Published and own test vectors that are part of the repository."""
    return REPOSITORY / "tests" / "vectors"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Measuring data and vectors of other projects, which lie beside the repository and are not part of it."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs ../shared, which is not here")
    return folder
