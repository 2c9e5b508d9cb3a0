"""A real HTTP server that misbehaves in every way that a business system has been seen to, chosen by the path."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

GOOD = {
    "data": [
        {"user_id": "u-1", "id": "A-100001", "status": "shipped", "amount": "10.50", "at": "2026-11-20T10:00:00+08:00"}
    ]
}


def _row(**changed: object) -> bytes:
    return json.dumps({"data": [{**GOOD["data"][0], **changed}]}).encode()


FIXED: dict[str, tuple[str, bytes]] = {
    "good": ("200 OK", json.dumps(GOOD).encode()),
    "500": ("500 Oops", b"{}"),
    "html": ("200 OK", b"<html><body>Down for maintenance</body></html>"),
    "broken": ("200 OK", b'{"data": [{"user_id": "u-1", "id": "A-1'),
    "other-user": ("200 OK", _row(user_id="u-2", id="SECRET-7")),
    "nobody": ("200 OK", b'{"data": [{"id": "SECRET-7", "status": "shipped"}]}'),
    "negative": ("200 OK", _row(amount="-3.00")),
    "nan-text": ("200 OK", _row(amount="NaN")),
    "nan": ("200 OK", b'{"data": [{"user_id": "u-1", "id": "A-100001", "amount": NaN}]}'),
    "huge-number": ("200 OK", b'{"data": [{"user_id": "u-1", "id": "A-100001", "amount": 1e999999}]}'),
    "year-1": ("200 OK", _row(at="0001-01-01T00:00:00+08:00")),
    "no-zone": ("200 OK", _row(at="2026-11-20 10:00:00")),
    "no-id": ("200 OK", _row(id=None)),
    "list-missing": ("200 OK", b'{"rows": []}'),
    "text": ("200 OK", b'"hello"'),
    "deep": ("200 OK", b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "redirect": ("302 Found\r\nLocation: http://127.0.0.1:1/steal", b""),
    "next-elsewhere": ("200 OK", json.dumps({**GOOD, "next": "http://localhost:1/steal"}).encode()),
    "endless-pages": ("200 OK", json.dumps({**GOOD, "next": "?again=1"}).encode()),
    "no-http": ("", b"SSH-2.0-OpenSSH_9.2\r\n"),
}


class FaultServer:
    """Answers ``GET /MODE/USER``. ``mode`` overrides the path's while it is set; ``asked`` counts requests."""

    def __init__(self) -> None:
        self.asked = 0
        self.mode: str | None = None
        self.over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection."""
        self.over.set()
        for line in [self._socket, *self._open]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(line)
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        try:
            head = line.recv(65_536).decode("latin-1")
            if not head:
                return
            self.asked += 1
            self._behave(line, self.mode or head.split(" ", 2)[1].split("/")[1])
        except OSError:
            pass
        finally:
            line.close()

    def _behave(self, line: socket.socket, mode: str) -> None:
        if mode == "hang":
            self.over.wait(30)
        elif mode == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif mode == "trickle":
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n")
            while not self.over.wait(0.02):
                line.sendall(b" ")
        elif mode == "big":
            line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            for _ in range(160):
                line.sendall(b" " * 65_536)
        elif mode == "cut":
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")
        else:
            status, body = FIXED[mode]
            start = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n" if status else ""
            line.sendall(start.encode() + body)


@contextmanager
def faults() -> Iterator[FaultServer]:
    """The server on a port of its own."""
    server = FaultServer()
    try:
        yield server
    finally:
        server.close()
