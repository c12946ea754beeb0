# SPDX-License-Identifier: Apache-2.0
"""How the phone's 32-byte key is kept in `handset.key` on Android: sealed with a key inside Android's key store.

A copy of the app's whole folder then opens nothing: not on another phone, not after the app was removed.
"""

from bluezone.handset.android.device import Keystore, KeystoreKeyLost

MARK = b"BZK1"


class KeystoreSealing:
    """Seals under a keystore key that is made with the phone's store and destroyed with it (vault.KeySealing)."""

    def __init__(self, keystore: Keystore) -> None:
        self._keystore = keystore

    def seal(self, key: bytes) -> bytes:
        """Make a keystore key and seal with it: "BZK1" || nonce[12] || ciphertext[32] || tag[16]."""
        self._keystore.create()
        return MARK + self._keystore.encrypt(key)

    def unseal(self, kept: bytes) -> bytes:
        """The key. Raises KeystoreKeyLost, KeystoreUnavailable."""
        if not kept.startswith(MARK):
            raise KeystoreKeyLost(f"the key file does not begin with {MARK!r}: it was not sealed on this phone")
        return self._keystore.decrypt(kept[len(MARK) :])

    def destroy(self) -> None:
        """Destroy the keystore key."""
        self._keystore.delete()
