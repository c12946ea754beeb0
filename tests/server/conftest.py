# SPDX-License-Identifier: Apache-2.0
"""Tests of the server that need an office have one of their own."""

from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]
