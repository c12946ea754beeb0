# SPDX-License-Identifier: Apache-2.0
from tests.builders.office import data_folder, furnished_folder, quick_passwords

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
