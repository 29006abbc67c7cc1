"""How a WebSocket begins: RFC 6455, 4.1, in the library's words, and nothing of it stays in memory afterwards. Pure."""

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI

HEAD_BYTES_MAX = 65_536
END = b"\r\n\r\n"


class Greeting:
    def __init__(self, uri: WebSocketURI) -> None:
        self._protocol = ClientProtocol(uri)
        self._head = bytearray()
        self._headed = False

    def words(self) -> bytes:
        """What is to be said first."""
        request = self._protocol.connect()
        request.headers["User-Agent"] = "livemon"
        self._protocol.send_request(request)
        return b"".join(self._protocol.data_to_send())

    def answered(self, data: bytes) -> bytes | None:
        """What stands behind the answer, which was good; None: it has not come as a whole. Raises InvalidHandshake."""
        if self._headed:
            return self._read(data)
        self._head += data
        end = self._head.find(END)
        if end < 0 and len(self._head) <= HEAD_BYTES_MAX:
            return None
        if end < 0:
            raise InvalidHandshake(f"an answer of over {HEAD_BYTES_MAX} bytes")
        self._headed = True
        head, rest = bytes(self._head[: end + len(END)]), bytes(self._head[end + len(END) :])
        self._head.clear()
        return rest if self._read(head) is not None else self._read(rest)

    def ended(self) -> Exception:
        """Nothing more comes."""
        self._protocol.receive_eof()
        return self._protocol.handshake_exc or InvalidHandshake("the connection ended before the answer")

    def _read(self, data: bytes) -> bytes | None:
        self._protocol.receive_data(data)
        error = self._protocol.handshake_exc
        if isinstance(error, InvalidStatus):  # of thousands that are turned away, none keeps the page that says so
            raise InvalidStatus(Response(error.response.status_code, error.response.reason_phrase, Headers()))
        if error is not None:
            raise error
        return b"" if self._protocol.state is State.OPEN else None
