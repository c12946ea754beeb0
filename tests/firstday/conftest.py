# SPDX-License-Identifier: Apache-2.0
"""Every test of the first day has an office of its own."""

from tests.builders.office import data_folder, furnished_folder, quick_passwords, server

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]
