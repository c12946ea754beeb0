# SPDX-License-Identifier: Apache-2.0
"""The virtual air as a process: every TCP client gets a virtual controller and talks HCI (H4) to it."""

import asyncio
import itertools
import logging
import socket

from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser

from bluezone.radio.adapters import NAME_OPCODE
from bluezone.radio.air.controller import AirController
from bluezone.radio.air.virtual import VirtualAir
from bluezone.refusal import Refused

MOST_UNREAD_BYTES = 64_000  # reports that a slow client has not read yet; beyond that the air drops reports for it
MOST_CLIENTS = 500

logger = logging.getLogger(__name__)


class PortTaken(Refused):
    """The address to listen on cannot be had."""

    code = "air_port_taken"


class _Client(asyncio.Protocol):
    """One connected handset: parses its packets, learns its name from the first one."""

    def __init__(self, server: "AirServer") -> None:
        self._server = server
        self._parser = PacketParser(self)
        self._transport: asyncio.Transport | None = None
        self._controller: AirController | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Without this the system would queue megabytes, minutes of old reports, before write() could notice.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_UNREAD_BYTES)
        self._server.clients.add(self)
        if len(self._server.clients) > MOST_CLIENTS:
            transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except InvalidPacketError as error:
            logger.warning("a client does not speak HCI: %s", error)
            self.hang_up()

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.clients.discard(self)
        if self._controller is not None:
            self._controller.station.leave()

    def hang_up(self) -> None:
        """Close the connection; the station leaves the air with it."""
        if self._transport is not None:
            self._transport.close()

    def on_packet(self, packet: bytes) -> None:
        """Take a packet of the client's host."""
        named = packet[0] == 1 and int.from_bytes(packet[1:3], "little") == NAME_OPCODE
        if self._controller is None:
            name = packet[4:].decode("utf-8", "replace") if named else self._server.free_name()
            if name in self._server.air.names():
                logger.warning("a second client calls itself %r: refused", name)
                self.hang_up()
                return
            self._controller = AirController(self._server.air.station(name))
            self._controller.set_packet_sink(_Unread(self))
        if not named:
            self._controller.on_packet(packet)

    def write(self, packet: bytes) -> None:
        """Send a packet to the client, or drop it if the client does not keep up."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self._server.air.count["shed"] += 1
            return
        self._transport.write(packet)


class _Unread:
    """Sink of a controller: what it says goes to the client."""

    def __init__(self, client: _Client) -> None:
        self.on_packet = client.write


class AirServer:
    """Listens for handsets and puts each on `air`."""

    def __init__(self, air: VirtualAir) -> None:
        self.air = air
        self.clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, chosen by the system if `port` is 0. Raises PortTaken."""
        try:
            self._server = await asyncio.get_running_loop().create_server(lambda: _Client(self), host, port)
        except OSError as error:
            raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Hang up on everybody and listen no more."""
        if self._server is not None:
            self._server.close()
            for client in list(self.clients):
                client.hang_up()
            await self._server.wait_closed()

    def free_name(self) -> str:
        """Name for a client that gives none: the next of the scene's handsets, else handset-N."""
        taken = set(self.air.names())
        numbered = (f"handset-{number}" for number in itertools.count(1))
        return next(name for name in itertools.chain(self.air.scene.handsets, numbered) if name not in taken)
