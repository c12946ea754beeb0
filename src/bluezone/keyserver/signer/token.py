# SPDX-License-Identifier: Apache-2.0
"""Optional: the city key and the export key in a PKCS#11 token, which makes them and never reveals them.

Week keys are made and erased every week and sign blind, which few tokens support: they stay in the signer's folder.

Source: PKCS#11 v3.0 (CKM_EDDSA, CKM_ECDSA); RFC 8410; tried with SoftHSM 2.6.
"""

import hashlib
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bluezone.keyserver.keys.keyfolder import SigningKeys
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.securefiles import read_secret
from bluezone.refusal import Refused

CITY_LABEL = "bluezone city"
EXPORT_LABEL = "bluezone export"
# The curve parameters of the keys in DER: the name edwards25519, as SoftHSM and others expect it, and P-256.
_EDWARDS = bytes.fromhex("130c656477617264733235353139")
_P256 = bytes.fromhex("06082a8648ce3d030107")
_HALF = 32
_FILES = ("signing-ed25519.pem", "export-p256.pem")


class TokenUnusable(Refused):
    """The PKCS#11 token cannot be cleanup, or its keys are still in files."""

    code = "token_unusable"


class TokenKeys(SigningKeys):
    """The keys of a city that has its city key and export key in a token.

    settings: `module` (path of the library), `label` (the token's) and `pin_file`. folder: that of the week keys.
    The token makes the two keys if it has none. Raises TokenUnusable, KeyFileExposed.
    """

    def __init__(self, settings: Mapping[str, Any], folder: Path) -> None:
        if set(settings) != {"module", "label", "pin_file"}:
            raise TokenUnusable("in signer.toml, token must have module, label and pin_file, and nothing else")
        try:
            import pkcs11
        except ImportError:
            raise TokenUnusable("the extra pkcs11 is not installed") from None
        with ExitStack() as cleanup:
            try:
                pin = read_secret(Path(settings["pin_file"])).decode().strip()
                token = pkcs11.lib(settings["module"]).get_token(token_label=settings["label"])
                session = cleanup.enter_context(token.open(rw=True, user_pin=pin))
                turn = threading.Lock()
                city = CityKey(*self._pair(session, CITY_LABEL, _EDWARDS, folder / _FILES[0]), turn)
                export = ExportKey(*self._pair(session, EXPORT_LABEL, _P256, folder / _FILES[1]), turn)
            except (pkcs11.PKCS11Error, OSError, RuntimeError) as error:
                raise TokenUnusable(f"the token cannot be used: {type(error).__name__}") from None
            # The session stays open as long as this process runs.
            cleanup.pop_all()
        super().__init__(city, export, WeekKeyRing(folder))

    @staticmethod
    def _pair(session: Any, label: str, parameters: bytes, file: Path) -> tuple[Any, bytes]:
        """A private key of the token, and its public point."""
        from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

        private = [*session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: label})]
        public = [*session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: label})]
        if len(private) > 1 or len(public) > 1:
            raise TokenUnusable(f"the token has several keys called {label!r}")
        if not private:
            if file.exists():
                raise TokenUnusable(
                    f"phones know the key in {file.name}; import it into the token, or do not use a token"
                )
            edwards = parameters == _EDWARDS
            kind = KeyType.EC_EDWARDS if edwards else KeyType.EC
            mechanism = Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else Mechanism.EC_KEY_PAIR_GEN
            domain = session.create_domain_parameters(kind, {Attribute.EC_PARAMS: parameters}, local=True)
            public_key, private_key = domain.generate_keypair(mechanism=mechanism, store=True, label=label)
            public = [public_key]
            private = [private_key]
        # The point is a DER octet string; its first two bytes are tag and length.
        return private[0], bytes(public[0][Attribute.EC_POINT])[2:]


class CityKey:
    """The city key of a token."""

    def __init__(self, private: Any, point: bytes, turn: threading.Lock) -> None:
        self._private = private
        self._turn = turn
        self._public = Ed25519PublicKey.from_public_bytes(point)

    def sign(self, data: bytes, /) -> bytes:
        """The signature, 64 bytes."""
        from pkcs11 import Mechanism

        with self._turn:
            return bytes(self._private.sign(data, mechanism=Mechanism.EDDSA))

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""
        return self._public


class ExportKey:
    """The export key of a token. Its signatures differ each time; the signer's record keeps the one it released."""

    def __init__(self, private: Any, point: bytes, turn: threading.Lock) -> None:
        self._private = private
        self._turn = turn
        self._public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)

    def sign(self, data: bytes, _algorithm: ec.ECDSA, /) -> bytes:
        """The signature over SHA-256 of `data`, in DER."""
        from pkcs11 import Mechanism

        with self._turn:
            raw = bytes(self._private.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA))
        return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""
        return self._public
