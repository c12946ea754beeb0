# SPDX-License-Identifier: Apache-2.0
"""What the app needs of the Android phone it runs on; the Java classes are behind this interface."""

from typing import Protocol

from bluezone.handset.android.notices import Notice
from bluezone.handset.clocks import Clock
from bluezone.handset.page.api import Voice
from bluezone.radio.interface import Radio
from bluezone.refusal import Refused


class KeystoreKeyLost(Refused):
    """Android's key store no longer has the key that the phone's store is sealed with, so nothing in it can be read."""

    code = "keystore_key_lost"


class KeystoreUnavailable(Refused):
    """Android's key store does not answer now; nothing was changed, and the app tries again."""

    code = "keystore_unavailable"


class Keystore(Protocol):
    """One AES-256-GCM key inside Android's key store, which never gives it out."""

    def create(self) -> None:
        """Make the key, in place of any before it. Raises KeystoreUnavailable."""

    def encrypt(self, plain: bytes) -> bytes:
        """nonce[12] || ciphertext || tag[16], with a nonce of the key store's own. Raises as `decrypt`."""

    def decrypt(self, sealed: bytes) -> bytes:
        """Raises KeystoreKeyLost when the key is gone or does not fit, KeystoreUnavailable when it may come back."""

    def delete(self) -> None:
        """Destroy the key; nothing happens if there is none. Raises KeystoreUnavailable."""


class KeystoreSealing:
    """Seals the phone's 32-byte key, in `handset.key`, under a keystore key that is made with the phone's store and
    destroyed with it (vault.KeySealing).

    A copy of the app's whole folder then opens nothing: not on another phone, not after the app was removed.
    """

    MARK = b"BZK1"

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore

    def seal(self, key: bytes) -> bytes:
        """Make a keystore key and seal with it: "BZK1" || nonce[12] || ciphertext[32] || tag[16]."""
        self._keystore.create()
        return self.MARK + self._keystore.encrypt(key)

    def unseal(self, kept: bytes) -> bytes:
        """The key. Raises KeystoreKeyLost, KeystoreUnavailable."""
        if not kept.startswith(self.MARK):
            raise KeystoreKeyLost(f"the key file does not begin with {self.MARK!r}: it was not sealed on this phone")
        return self._keystore.decrypt(kept[len(self.MARK) :])

    def destroy(self) -> None:
        """Destroy the keystore key."""
        self._keystore.delete()


class Awake(Protocol):
    """The phone's processor. Every method may be called from any thread."""

    def hold(self, seconds: float) -> None:
        """Keep it awake for so long from now, instead of what was asked for before."""

    def release(self) -> None:
        """Let it sleep."""

    def wake_at(self, boot_seconds: float) -> None:
        """Wake it at this moment of the boot clock, and call the service; instead of the moment asked for before."""

    def forget(self) -> None:
        """Let it sleep, and wake it no more."""


class Device(Protocol):
    """The phone. Every method may be called from any thread."""

    keystore: Keystore
    awake: Awake
    voice: Voice

    def radio(self) -> Radio:
        """The phone's Bluetooth, a new object each time; the caller opens it."""

    def clock(self) -> Clock:
        """The phone's clocks."""

    def show_running(self, notice: Notice) -> None:
        """Show it as the service's permanent notice."""

    def show_news(self, notice: Notice) -> None:
        """Notify the owner, on the lock screen too."""

    def erased(self) -> None:
        """Remove every notice and end the service, because the owner erased everything."""
