# SPDX-License-Identifier: Apache-2.0
"""A city with a clerk, a signer and an issued letter."""

import pytest
from tests.builders.directives import city, issue_letter, person
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]


@pytest.fixture
def committee(db):
    return city()


@pytest.fixture
def clerk(committee):
    return person("clerk", "clerk", name="Hoàng Thị Mai")


@pytest.fixture
def signer(committee):
    return person("signer", "issuer", name="Nguyễn Văn Ký")


@pytest.fixture
def directive(committee, clerk, signer):
    return issue_letter(committee, clerk, signer)
