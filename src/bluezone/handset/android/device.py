# SPDX-License-Identifier: Apache-2.0
"""What the app needs from the Android phone that it runs on: an interface to the Java classes."""

from typing import Protocol

from bluezone.handset.android.notices import Notice
from bluezone.handset.clocks import Clock
from bluezone.handset.page.api import Voice
from bluezone.radio.interface import Radio
from bluezone.refusal import Refused


class KeystoreKeyLost(Refused):
    """Android's key store has lost the key that seals the phone's store, so nothing in the store can be read."""

    code = "keystore_key_lost"


class KeystoreUnavailable(Refused):
    """Android's key store does not respond now; nothing was changed, and the app tries again."""

    code = "keystore_unavailable"


class Keystore(Protocol):
    """One AES-256-GCM key that never leaves Android's key store."""

    def create(self) -> None:
        """Generate the key, which replaces any earlier key. Raises KeystoreUnavailable."""

    def encrypt(self, plain: bytes) -> bytes:
        """Return nonce[12] || ciphertext || tag[16]; the key store chooses the nonce. Raises as `decrypt`."""

    def decrypt(self, sealed: bytes) -> bytes:
        """Return the plain bytes.

        Raises KeystoreKeyLost if the key is lost or is another key, KeystoreUnavailable if a later call may succeed.
        """

    def delete(self) -> None:
        """Destroy the key, if there is one. Raises KeystoreUnavailable."""


class KeystoreSealing:
    """A vault.KeySealing: seals the phone's 32-byte key, in `handset.key`, with a keystore key.

    The keystore key is generated and destroyed together with the phone's store. Therefore a copy of the app's folder
    cannot be opened on another phone, or after the app was removed.
    """

    MARK = b"BZK1"

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore

    def seal(self, key: bytes) -> bytes:
        """Make a keystore key and seal with it; return "BZK1" || nonce[12] || ciphertext[32] || tag[16]."""
        self._keystore.create()
        return self.MARK + self._keystore.encrypt(key)

    def unseal(self, sealed: bytes) -> bytes:
        """Return the key. Raises KeystoreKeyLost, KeystoreUnavailable."""
        if not sealed.startswith(self.MARK):
            raise KeystoreKeyLost(f"the key file does not begin with {self.MARK!r}: it was not sealed on this phone")
        return self._keystore.decrypt(sealed[len(self.MARK) :])

    def destroy(self) -> None:
        """Destroy the keystore key."""
        self._keystore.delete()


class WakeLock(Protocol):
    """The phone's processor. Every method may be called from any thread."""

    def hold(self, seconds: float) -> None:
        """Keep the processor awake for this time from now; this replaces earlier calls."""

    def release(self) -> None:
        """Let the processor sleep."""

    def wake_at(self, boot_seconds: float) -> None:
        """Wake the processor at this moment of the boot clock and call the service; this replaces earlier calls."""

    def cancel(self) -> None:
        """Let the processor sleep, and cancel the alarm."""


class Device(Protocol):
    """The phone. Every method may be called from any thread."""

    keystore: Keystore
    wake_lock: WakeLock
    voice: Voice

    def radio(self) -> Radio:
        """Return the phone's Bluetooth as a new object; the caller opens it."""

    def clock(self) -> Clock:
        """Return the phone's clocks."""

    def show_running(self, notice: Notice) -> None:
        """Show a notice as the service's permanent one."""

    def show_news(self, notice: Notice) -> None:
        """Notify the owner, on the lock screen too."""

    def end_service(self) -> None:
        """Remove all notices and end the service: the owner has erased everything."""
