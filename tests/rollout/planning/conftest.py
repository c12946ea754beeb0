# SPDX-License-Identifier: Apache-2.0
"""Every test of these pages has an office of its own."""

from tests.builders.office import data_folder, furnished_folder, quick_passwords

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
