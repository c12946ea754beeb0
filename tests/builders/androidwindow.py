# SPDX-License-Identifier: Apache-2.0
"""A DOUBLE of the Android classes that the app's window uses, so that front.py runs on this machine. It is not Android.

Every class of `android` and `java` exists under its name and does nothing, except for what a window asks of the phone
and the screens that it opens: an activity of this double has only the system screens that a test passes to it.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.builders.androidphone import AndroidPhone

SOURCES = Path(__file__).parents[2] / "android" / "src"
PACKAGES = ("android", "java", "javax")
GRANTED = 0


class Named(type):
    """The type of classes that answer an unknown attribute with a constant of that name, or with a class."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}" if name.isupper() else made_class(name)


class Java(metaclass=Named):
    """An object that stores its arguments; each of its methods returns another such object."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_: Java()


class RuntimeException(Exception):
    """java.lang.RuntimeException."""


class ActivityNotFoundException(RuntimeException):
    """android.content.ActivityNotFoundException: no program on the phone has this screen."""


class Version(Java):
    """Android 14."""

    SDK_INT = 34


class Build(Java):
    """A phone of a manufacturer that removed screens."""

    VERSION = Version
    VERSION_CODES = types.SimpleNamespace(P=28)
    MANUFACTURER = "double"


class PackageManager(Java):
    """android.content.pm.PackageManager."""

    PERMISSION_GRANTED = GRANTED


class Uri(Java):
    """android.net.Uri: the text itself."""

    @staticmethod
    def parse(text: str) -> str:
        return text


def made_class(name: str) -> type:
    """A class of that name that does nothing."""
    return Named(name, (Java,), {})


KNOWN = {
    "java.lang.RuntimeException": RuntimeException, "java.lang.String": str, "java.lang.Exception": Exception,
    "android.content.ActivityNotFoundException": ActivityNotFoundException, "android.os.Build": Build,
    "android.net.Uri": Uri, "java.cast": lambda _type, value: value, "java.jarray": lambda _type: list,
    "java.dynamic_proxy": lambda *_: Java, "java.static_proxy": lambda *_: Java,
    "java.Override": lambda *_: lambda method: method, "android.content.pm.PackageManager": PackageManager,
}  # fmt: skip


class Package(types.ModuleType):
    """A package of Android that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = KNOWN.get(f"{self.__name__}.{name}")
        return made_class(name) if known is None else known


class Packages(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every package of Android."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in PACKAGES:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return Package(spec.name)

    def exec_module(self, module: types.ModuleType) -> None: ...


class Activity(Java):
    """A window. screens: the actions for which this phone has a screen. opened: the actions requested, in order."""

    def __init__(self, *screens: str) -> None:
        super().__init__()
        self.screens = screens
        self.opened: list[str] = []
        self.refuses_service = False

    def startActivity(self, intent: Java) -> None:
        action = intent.arguments[0]
        self.opened.append(action)
        if action not in self.screens:
            raise ActivityNotFoundException(action)

    def startActivityForResult(self, intent: Java, _request: int) -> None:
        self.startActivity(intent)

    def startForegroundService(self, _intent: Java) -> None:
        if self.refuses_service:
            raise RuntimeException("ForegroundServiceStartNotAllowedException")

    def checkSelfPermission(self, _name: str) -> int:
        return GRANTED

    def getPackageName(self) -> str:
        return "vn.bluezone"


class View(Java):
    """A web view that stores the last page of the app."""

    def __init__(self) -> None:
        super().__init__()
        self.page = ""

    def loadDataWithBaseURL(self, _base: str, page: str, *_: str) -> None:
        self.page = page


@contextmanager
def open_window(phone: AndroidPhone, *screens: str) -> Iterator[tuple[Any, Activity, View]]:
    """The window of front.py on a double of a phone, with its activity and view. screens: as for `Activity`."""
    finder = Packages()
    before = set(sys.modules)
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, str(SOURCES))
    try:
        front, device = (importlib.import_module(f"bluezone_phone.{name}") for name in ("front", "androiddevice"))
        parts = device.Parts._made = object.__new__(device.Parts)
        parts.tracing, parts.device, parts.setup = phone.process()
        activity = Activity(*screens)
        view = View()
        yield front.begin(activity, view), activity, view
    finally:
        sys.meta_path.remove(finder)
        sys.path.remove(str(SOURCES))
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in (*PACKAGES, "bluezone_phone"):
                del sys.modules[name]
