# SPDX-License-Identifier: Apache-2.0
"""Opens the radio that --radio names, or says in a sentence why there is none."""

import errno
import socket
from collections.abc import Awaitable, Callable

from bumble.core import BaseBumbleError
from bumble.transport import open_transport
from bumble.transport.common import Transport

from bluezone.radio.android import AndroidRadio, JavaMissing, application_context
from bluezone.radio.bumbleradio import BumbleRadio
from bluezone.radio.interface import Radio, RadioFailed
from bluezone.refusal import Refused

# What the virtual air's server takes as a client's name: an HCI command of the vendor group, never answered.
NAME_OPCODE = 0xFC5A
LONGEST_NAME = 100


class InvalidRadio(Refused):
    """The text given for --radio names no radio."""

    code = "radio_invalid"


class RadioUnavailable(Refused):
    """The radio cannot be opened now; the message says why, `remedy` what to do."""

    code = "radio_unavailable"

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def open_radio(spec: str) -> Radio:
    """Make the radio that `spec` names, not opened yet; its `open` may raise RadioUnavailable.

    spec:  "virtual:HOST:PORT" or "virtual:HOST:PORT/NAME" (an air run by `bluezone radio air`),
           "hci-socket:0", "usb:0", "serial:/dev/ttyACM0,1000000", or any other transport of bumble;
           "android:" inside an Android app.
    Raises InvalidRadio when it has no such form, JavaMissing for an Android radio anywhere else.
    """
    scheme, separator, rest = spec.partition(":")
    if not scheme or not separator:
        raise InvalidRadio(f"radio is {spec!r}, expected SCHEME:DETAILS such as hci-socket:0 or usb:0")
    if scheme == "android":
        if rest:
            raise InvalidRadio(f"radio is {spec!r}, expected android: and nothing more")
        return AndroidRadio(application_context())
    if scheme == "virtual":
        return BumbleRadio(_virtual(spec, rest), "virtual")
    return BumbleRadio(_explained(spec, lambda: open_transport(spec)))


async def diagnose(spec: str) -> RadioUnavailable | None:
    """Open and close the radio once. Returns None if that worked, else the refusal. Raises InvalidRadio."""
    try:
        radio = open_radio(spec)
        await radio.open()
    except JavaMissing as missing:
        return RadioUnavailable(str(missing), "name another radio here, see docs/radio.md")
    except RadioUnavailable as unavailable:
        return unavailable
    except RadioFailed as failed:
        return RadioUnavailable(f"{spec} was opened, but {failed}", "unplug the adapter or restart its driver")
    await radio.close()
    return None


async def identify(radio: Radio) -> str:
    """Open and close the radio once to learn its model, under which calibration.py knows it.

    Raises RadioUnavailable, RadioFailed.
    """
    await radio.open()
    await radio.close()
    return radio.model


def name_packet(name: str) -> bytes:
    """The packet by which a client of the virtual air says which handset of the scene it is."""
    encoded = name.encode()
    return b"\x01" + NAME_OPCODE.to_bytes(2, "little") + bytes([len(encoded)]) + encoded


def _virtual(spec: str, rest: str) -> Callable[[], Awaitable[Transport]]:
    address, _, name = rest.partition("/")
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or len(name.encode()) > LONGEST_NAME:
        raise InvalidRadio(f"radio is {spec!r}, expected virtual:HOST:PORT or virtual:HOST:PORT/NAME")

    async def opened() -> Transport:
        transport = await open_transport(f"tcp-client:{host}:{port}")
        if name:
            transport.sink.on_packet(name_packet(name))
        return transport

    return _explained(spec, opened)


def _explained(spec: str, opened: Callable[[], Awaitable[Transport]]) -> Callable[[], Awaitable[Transport]]:
    """Turn whatever a transport raises into a cause and a remedy."""

    async def explained() -> Transport:
        if spec.startswith("hci-socket:") and not hasattr(socket, "AF_BLUETOOTH"):
            raise RadioUnavailable(
                "this Python was built without Bluetooth sockets (AF_BLUETOOTH)",
                "use the Python of your distribution, for instance /usr/bin/python3",
            )
        try:
            return await opened()
        except Exception as error:  # each transport has its own exceptions, some bare Exception
            raise _explanation(spec, error) from error

    return explained


def _explanation(spec: str, error: Exception) -> RadioUnavailable:
    scheme, _, rest = spec.partition(":")
    number = error.errno if isinstance(error, OSError) else None
    text = f"{spec}: {str(error) or type(error).__name__}"
    if scheme == "virtual":
        return RadioUnavailable(text, f"start the air first: bluezone radio air --listen {rest.partition('/')[0]}")
    if number == errno.EAFNOSUPPORT:
        return RadioUnavailable(
            f"{spec}: this kernel has no Bluetooth", "use a kernel with Bluetooth, not a container, or a USB adapter"
        )
    if number in (errno.EPERM, errno.EACCES) or "ACCESS" in text.upper():
        return RadioUnavailable(text, _permission_remedy(scheme))
    if number == errno.EBUSY or "BUSY" in text.upper():
        return RadioUnavailable(text, f"free the adapter: sudo systemctl stop bluetooth; sudo hciconfig hci{rest} down")
    if number in (errno.ENODEV, errno.ENOENT, errno.ENXIO) or isinstance(error, BaseBumbleError):
        return RadioUnavailable(text, "plug the adapter in and check its number (bumble-usb-probe lists USB ones)")
    return RadioUnavailable(text, "check the name of the adapter in docs/radio.md")


def _permission_remedy(scheme: str) -> str:
    if scheme == "usb":
        return "allow your user the USB device with a udev rule, see docs/radio.md"
    if scheme == "serial":
        return "add your user to the group dialout and sign in again"
    return "run with CAP_NET_ADMIN and CAP_NET_RAW, see docs/radio.md"
