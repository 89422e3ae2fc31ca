"""Requests byte by byte: what an attacker sends is not what an HTTP library would send."""

import json
import socket
import ssl
import struct
from dataclasses import dataclass, field

# Attacks come from this address and normal clients from 127.0.0.1, so that a share per address tells them apart.
HOSTILE_ADDRESS = "127.0.0.66"


@dataclass
class Answer:
    status: int
    fields: dict = field(default_factory=dict)
    body: bytes = b""
    # The head and the body as they came.
    count: int = 0

    @property
    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:200].decode('utf-8', 'replace').strip()}"


def connect(port, timeout=5, source=HOSTILE_ADDRESS):
    return socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))


def request_bytes(method, target, fields=(), body=None, host="localhost"):
    """A request; `fields` are pairs, and their values may be bytes."""
    lines = [f"{method} {target} HTTP/1.1".encode("utf-8", "surrogateescape")]
    if host is not None:
        lines.append(f"Host: {host}".encode())
    for name, value in fields:
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    if body is not None:
        lines.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def read_answer(connection, is_head=False):
    """The next answer of a connection. An interim answer is skipped.

    Raises OSError for a connection that breaks or says nothing for as long as its timeout.
    """
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                raise ConnectionError(f"closed after {len(data)} bytes of an answer")
            data += piece
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        status = int(lines[0].split()[1])
        if status >= 200:
            break
    fields = {}
    for line in lines[1:]:
        name, value = line.split(b":", 1)
        fields[name.decode().lower()] = value.strip().decode("utf-8", "replace")
    body = bytearray(data)
    if is_head or status in (204, 304):
        body = bytearray()
    elif fields.get("transfer-encoding") == "chunked":
        body = read_chunks(connection, body)
    else:
        while len(body) < int(fields.get("content-length", "0")):
            piece = connection.recv(262_144)
            if not piece:
                raise ConnectionError("closed within the body")
            body += piece
    return Answer(status, fields, bytes(body), len(head) + 4 + len(body))


def read_chunks(connection, data):
    body = bytearray()
    while True:
        while b"\r\n" not in data:
            data += connection.recv(65_536) or b"0\r\n\r\n"
        size, data = data.split(b"\r\n", 1)
        count = int(size, 16)
        if count == 0:
            return body
        while len(data) < count + 2:
            piece = connection.recv(65_536)
            if not piece:
                return body
            data += piece
        body += data[:count]
        data = data[count + 2:]


def ask(port, method, target, fields=(), body=None, timeout=5, source=HOSTILE_ADDRESS, host="localhost", tls=False):
    """One request on a connection of its own."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        fields = [("Content-Type", "application/json"), *fields]
    with connect(port, timeout, source) as plain:
        connection = secured(plain) if tls else plain
        try:
            connection.sendall(request_bytes(method, target, [*fields, ("Connection", "close")], body, host))
        except OSError:
            # The answer may have come before the body was taken.
            pass
        return read_answer(connection, method == "HEAD")


def secured(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def reset(connection):
    """Closes with RST, so that the other side hears at once that nobody waits."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
