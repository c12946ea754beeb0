# SPDX-License-Identifier: Apache-2.0
"""Double of Chaquopy's `java` module and of the java.lang and java.util classes that are used. Not Java."""

from typing import Any


class Object:
    """java.lang.Object; `born` is set by its __init__, without which a proxy is no Java object."""

    def __init__(self) -> None:
        self.born = True


class Throwable(Object, Exception):
    def __init__(self, message: str = "") -> None:
        Exception.__init__(self, message)


class RuntimeException(Throwable):
    pass


class SecurityException(RuntimeException):
    pass


class IllegalStateException(RuntimeException):
    pass


class IllegalArgumentException(RuntimeException):
    pass


class List(Object):
    """java.util.List, with no generics when Python runs."""

    def __init__(self, values: tuple = ()) -> None:
        super().__init__()
        self._values = list(values)

    def get(self, index: int) -> Any:
        return self._values[index]

    def size(self) -> int:
        return len(self._values)

    def add(self, value: Any) -> bool:
        self._values.append(value)
        return True


class ArrayList(List):
    pass


jvoid, jint, jboolean, jbyte = (type(name, (), {}) for name in ("jvoid", "jint", "jboolean", "jbyte"))


class JavaArrayJByte(Object):
    """byte[]: signed inside; from and to Python's bytes unsigned, as Chaquopy converts."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        unsigned = isinstance(value, bytes | bytearray)
        self._values = [one - 256 if unsigned and one > 127 else one for one in value]
        if any(not -128 <= one <= 127 for one in self._values):
            raise OverflowError("value too large to convert to byte")

    def __bytes__(self) -> bytes:
        return bytes(one & 0xFF for one in self._values)


def jarray(kind: type) -> type:
    """Only byte[] is used."""
    assert kind is jbyte
    return JavaArrayJByte


def Override(return_type: type, arguments: list[type]):
    """Declare the Java signature of a method of a static proxy."""

    def declared(function):
        function.java_signature = (return_type, arguments)
        return function

    return declared


def static_proxy(extends: type) -> type:
    """A class that Java can call: each overriding method must exist in Java with exactly this signature."""

    class Proxy(extends):
        def __init_subclass__(cls) -> None:
            declared = {
                name: method.java_signature for name, method in vars(cls).items() if hasattr(method, "java_signature")
            }
            for name, signature in declared.items():
                if extends.JAVA_METHODS.get(name) != signature:
                    raise TypeError(f"{extends.__name__} has no {name}{signature} to override")
            forgotten = set(extends.JAVA_METHODS) & set(vars(cls)) - set(declared)
            if forgotten:
                raise TypeError(f"{forgotten} override methods of Java without saying so: Java would not call them")

    return Proxy


def is_java(thing: object) -> bool:
    """Whether Java could be given this."""
    return isinstance(thing, Object) and getattr(thing, "born", isinstance(thing, Throwable))
