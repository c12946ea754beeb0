# SPDX-License-Identifier: Apache-2.0
"""Finds Python's native modules where Android puts an app's native libraries: all in one folder, named lib*.so."""

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from typing import Any

PREFIX = "libpy_"


class NativeModules(MetaPathFinder):
    """Finds `_ssl` as `libpy__ssl.so` in a folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The module, if the folder has it."""
        file = f"{self._folder}/{PREFIX}{fullname}.so"
        if not os.path.exists(file):
            return None
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, file))


def install() -> None:
    """Find them from now on; the folder is named by the app (Engine.java)."""
    sys.meta_path.append(NativeModules(os.environ["BLUEZONE_NATIVE"]))
