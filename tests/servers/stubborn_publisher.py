"""An encoder that does not go when it is refused: RTMP by hand, since ffmpeg closes its connection then."""

import os
import socket
import struct
import threading
import time
from typing import Self

HANDSHAKE = 1536
COMMAND, SOUND = 20, 8  # types of messages
SILENCE = b"\x2f" + bytes(60)  # a frame of MP3


def text(value: str) -> bytes:
    return b"\x02" + struct.pack(">H", len(value)) + value.encode()


def number(value: float) -> bytes:
    return b"\x00" + struct.pack(">d", value)


def table(**values: str) -> bytes:
    rows = (struct.pack(">H", len(name)) + name.encode() + text(value) for name, value in values.items())
    return b"\x03" + b"".join(rows) + b"\x00\x00\x09"


class StubbornPublisher:
    """Publishes sound to `app/name` of the server on this port, and goes on whatever it is told, until it is closed."""

    def __init__(self, port: int, room: str) -> None:
        app, _, name = room.partition("/")
        self.answers = b""
        self.cut = False  # by the server
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._shake_hands()
        told = table(app=app, tcUrl=f"rtmp://127.0.0.1:{port}/{app}", flashVer="stubborn")
        self._send(3, COMMAND, 0, text("connect") + number(1) + told)
        self._send(3, COMMAND, 0, text("createStream") + number(2) + b"\x05")
        threading.Thread(target=self._hear, daemon=True).start()
        time.sleep(0.4)  # what is asked before the stream is there is not answered
        self._send(4, COMMAND, 1, text("publish") + number(3) + b"\x05" + text(name) + text("live"))
        threading.Thread(target=self._sound, daemon=True).start()

    @property
    def refused(self) -> bool:
        return b"BadName" in self.answers

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # so that those who wait at it let it go
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *of: object) -> None:
        self.close()

    def _shake_hands(self) -> None:
        self._socket.sendall(b"\x03" + bytes(8) + os.urandom(HANDSHAKE - 8))
        shaken = b""
        while len(shaken) < 1 + 2 * HANDSHAKE:
            shaken += self._socket.recv(4096)
        self._socket.sendall(shaken[1 : 1 + HANDSHAKE])

    def _send(self, channel: int, kind: int, stream: int, body: bytes, at_ms: int = 0) -> None:
        """One message, in chunks of 128 bytes."""
        head = struct.pack(">I", at_ms)[1:] + struct.pack(">I", len(body))[1:] + bytes([kind])
        parts = [body[start : start + 128] for start in range(0, len(body), 128)]
        self._socket.sendall(bytes([channel]) + head + struct.pack("<I", stream) + bytes([0xC0 | channel]).join(parts))

    def _sound(self) -> None:
        try:
            for at_ms in range(0, 3_600_000, 100):
                self._send(5, SOUND, 1, SILENCE, at_ms)
                time.sleep(0.1)
        except OSError:
            self.cut = True

    def _hear(self) -> None:
        try:
            while heard := self._socket.recv(4096):
                self.answers += heard
            self.cut = True
        except OSError:
            pass  # closed by us
