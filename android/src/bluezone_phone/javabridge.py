# SPDX-License-Identifier: Apache-2.0
"""Java for Python on the phone: the part of Chaquopy's `java` API that the app uses, on a bridge of our own.

`install` makes `import java` and `from android.os import Build` work. The native half is android/native/bridge.c, the
Java half bluezone.phone.Reflection; the values that cross are named there. Java classes are Python classes, so that
`except SecurityException` works; a Java array is a list, byte[] is bytes, a string is str.
"""

import contextlib
import sys
import threading
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ClassVar

_CLASS, _KIND, _GET, _CALL, _NEW, _NAME, _PARENT, _PROXY, _TEXT, _SAME, _HASH, _IS = range(12)
_FIELD, _METHOD, _NESTED = 1, 2, 3
_TOPS = frozenset({"android", "java", "javax"})
# The extension module that is inside the process on a phone; None until `install`.
_native: Any = None
_classes: "dict[str, JavaType]" = {}
# Reentrant: making a class makes its parent.
_lock = threading.RLock()


def _invoke(what: int, target: Any, name: str = "", *given: Any) -> Any:
    return _wrapped(_native.invoke(what, target, name, given))


def _wrapped(value: Any) -> Any:
    """What crossed, with every native reference in an object of its class."""
    if isinstance(value, list):
        return [_wrapped(one) for one in value]
    if type(value).__name__ != "PyCapsule":
        return value
    kind = jclass(_native.invoke(_NAME, value, "", ()))
    made = Exception.__new__(kind) if issubclass(kind, Exception) else object.__new__(kind)
    made.__dict__["_java"] = value
    return made


class JavaType(type):
    """A Java class. Its attributes are static fields, static methods and nested classes; `_java` is its reference."""

    _java: Any
    _name: str
    _kinds: dict[str, int]

    def __getattr__(cls, name: str) -> Any:
        """A static member."""
        kind = cls._kind(name)
        if kind == _METHOD:
            return lambda *given: _invoke(_CALL, cls._java, name, *given)
        if kind == _FIELD:
            return _invoke(_GET, cls._java, name)
        return jclass(f"{cls._name}${name}")

    def _kind(cls, name: str) -> int:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in cls._kinds:
            cls._kinds[name] = _native.invoke(_KIND, cls._java, name, ())
        if not cls._kinds[name]:
            raise AttributeError(f"{cls._name} has no {name}")
        return cls._kinds[name]

    def __instancecheck__(cls, instance: Any) -> bool:
        """As `instanceof`, interfaces included."""
        if super().__instancecheck__(instance) or not isinstance(type(instance), JavaType):
            return super().__instancecheck__(instance)
        return bool(_native.invoke(_IS, cls._java, "", (instance,)))


class JavaObject(metaclass=JavaType):
    """An object of Java. A class of Python that is a static proxy has `_held`, and is told by Java's own."""

    _java: Any = None
    _name = "java.lang.Object"
    _kinds: ClassVar[dict[str, int]] = {}
    _held = False

    def __new__(cls, *given: Any) -> Any:
        """Call Java's constructor."""
        return object.__new__(cls) if cls._held else _invoke(_NEW, cls._java, "", *given)

    def __init__(self, *_given: Any) -> None:
        """Make the Java object of a static proxy; any other was made in `__new__`."""
        if self._held and "_java" not in self.__dict__:
            own = jclass(f"{type(self).__module__}.{type(self).__name__}")
            self.__dict__["_java"] = _native.invoke(_NEW, own._java, "", (_native.weak(self),))

    def __getattr__(self, name: str) -> Any:
        """A method or a field of the object."""
        if type(self)._kind(name) == _METHOD:
            return lambda *given: _invoke(_CALL, self._java, name, *given)
        return _invoke(_GET, self._java, name)

    def __str__(self) -> str:
        """toString()."""
        return str(_native.invoke(_TEXT, self._java, "", ()))

    def __eq__(self, other: object) -> bool:
        """equals()."""
        return type(type(other)) is JavaType and bool(_native.invoke(_SAME, self._java, "", (other,)))

    def __hash__(self) -> int:
        """hashCode()."""
        return int(_native.invoke(_HASH, self._java, "", ()))


class _Thrown(JavaObject, Exception):
    """java.lang.Throwable, which Python can raise and catch."""


def jclass(name: str) -> Any:
    """The Java class of this name, `$` before a nested one. Raises ImportError."""
    with _lock:
        if name in _classes:
            return _classes[name]
        found = _native.invoke(_CLASS, None, name, ())
        if found is None:
            raise ImportError(f"no Java class {name}")
        parent = _native.invoke(_PARENT, found, "", ())
        base = _Thrown if name == "java.lang.Throwable" else jclass(parent) if parent else JavaObject
        made = JavaType(
            name.replace("$", ".").rpartition(".")[2], (base,), {"_name": name, "_kinds": {}, "_java": found}
        )
        _classes[name] = made
        return made


def static_proxy(parent: Any) -> Any:
    """A base for a class of Python that a Java class, made when the app is built, extends (tools/apk/proxies.py)."""
    return JavaType(parent.__name__, (parent,), {"_held": True})


def dynamic_proxy(*interfaces: Any) -> Any:
    """A base for a class of Python whose objects stand for Java interfaces wherever they are given to Java."""
    names = " ".join(interface._name for interface in interfaces)

    class DynamicProxy:
        @property
        def _java(self) -> Any:
            return _native.invoke(_PROXY, None, names, (_native.strong(self),))

    return DynamicProxy


def Override(_returns: Any, _arguments: list[Any]) -> Callable[[Any], Any]:
    """Says the Java signature of a method, for the tool that makes the Java class."""
    return lambda method: method


def cast(_kind: Any, value: Any) -> Any:
    """The value: which overload is meant is decided by what it is."""
    return value


def jarray(kind: Any) -> Callable[[Any], Any]:
    """Makes an array of a kind: bytes for jbyte, a list for any other."""
    return bytes if kind is jbyte else list


class jvoid: ...  # noqa: N801


class jint: ...  # noqa: N801


class jboolean: ...  # noqa: N801


class jbyte: ...  # noqa: N801


class jchar: ...  # noqa: N801


class _Package(ModuleType):
    """A package of Java: its attributes are its classes."""

    def __getattr__(self, name: str) -> Any:
        if not name[:1].isupper():
            raise AttributeError(name)
        try:
            return jclass(f"{self.__name__}.{name}")
        except ImportError as error:
            raise AttributeError(str(error)) from error


class _Finder(MetaPathFinder, Loader):
    """Makes `import android.os` give the package of Java."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        parts = fullname.split(".")
        mine = parts[0] in _TOPS and parts[-1][:1].islower()
        return ModuleSpec(fullname, self, is_package=True) if mine else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Package(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "java":
            for one in (
                Override,
                cast,
                dynamic_proxy,
                jarray,
                jboolean,
                jbyte,
                jchar,
                jclass,
                jint,
                jvoid,
                static_proxy,
            ):
                setattr(module, one.__name__, one)


class _LogStream:
    """What Python prints goes to Android's log."""

    def __init__(self) -> None:
        self._log = jclass("android.util.Log")

    def write(self, text: str) -> int:
        if text.strip():
            self._log.i("bluezone", text.rstrip())
        return len(text)

    def flush(self) -> None: ...


def install() -> None:
    """Connect this process's Java: the modules `java`, `javax` and `android` exist from now on."""
    global _native
    import _bridge

    _native = _bridge
    _bridge.use(_wrapped, lambda given: tuple(_wrapped(one) for one in given))
    sys.meta_path.insert(0, _Finder())
    with contextlib.suppress(ImportError):  # a JVM without Android, as in a test of the bridge alone
        sys.stdout = sys.stderr = _LogStream()
