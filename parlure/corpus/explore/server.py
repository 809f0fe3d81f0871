"""A corpus → a server on this machine that shows it, to nobody but who has its address.

The address holds a random token, without which nothing is answered; a request that names another host than this machine
(as a page that has made its own name lead here would) is refused. Nothing can be written but where the answers accept
it: JSON alone, and not from a page that came from elsewhere. Sound is given in pieces where a browser asks for pieces.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import socket
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Protocol, runtime_checkable

from parlure.corpus.explore.answers import Answer, Answers, failed
from parlure.corpus.manifest import Corpus
from parlure.errors import ParlureError

_TOKEN_BYTES = 24
_MOST_BYTES = 1 << 20  # of what is written: a transcript of 30 s has some hundreds
_IDLE_S = 60.0  # s after which a silent connection is closed
_FOR_ALL = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Answering(Protocol):
    """What a server says; ``command`` has printed its address."""

    command: str

    def answer(self, path: str, query: str) -> Answer:
        """What is said to ``path?query``."""
        ...


@runtime_checkable
class Accepting(Protocol):
    """What a server that can be written to takes."""

    def accept(self, path: str, given: dict[str, Any]) -> Answer:
        """What is said to a JSON object that is sent to ``path``."""
        ...


class CorpusServer(ThreadingHTTPServer):
    """Listens as soon as it is made; ``serve_forever`` answers.

    Args:
        answers: what it says.
        host: address or name of this machine to listen on.
        port: 0 takes a free one.

    Attributes:
        url: where the page is, token included.

    Raises:
        ParlureError: the port is in use or not ours to take, or the host is not this machine's.
    """

    allow_reuse_address = os.name == "posix"  # Windows would let two servers share a port
    daemon_threads = True

    def __init__(self, answers: Answering, host: str, port: int) -> None:
        self.answers = answers
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        self.host = host
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            self.address_family = found[0]
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError, UnicodeError) as error:
            raise ParlureError(
                f"cannot listen on {host} port {port}: {getattr(error, 'strerror', None) or error}",
                "leave --port out to take a free port; --host is an address of this machine, such as 127.0.0.1",
            ) from error

    def server_bind(self) -> None:
        """Bind as any TCP server does: an HTTP server would ask the network what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    @property
    def url(self) -> str:
        everywhere = self.host in ("", "0.0.0.0", "::")  # an address to listen on, none to go to
        host = socket.gethostname() if everywhere else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.server_address[1]}/{self.token}/"

    @property
    def private(self) -> bool:
        """Whether this machine alone can reach it."""
        return ipaddress.ip_address(str(self.server_address[0]).partition("%")[0]).is_loopback

    def knows(self, host: str | None) -> bool:
        """Whether a request's ``Host`` is this machine.

        A page from elsewhere that has its own name resolve to this machine (DNS rebinding) sends that name; an address
        cannot be made to lead elsewhere. The port is free: a tunnel may have another one at its other end.
        """
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(:\d+)?", host or "")
        if not match:
            return False
        name = match[1].strip("[]").lower()
        if name in ("localhost", self.host.lower(), socket.gethostname().lower()):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no error."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: CorpusServer
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S

    def do_GET(self) -> None:
        answer = self._answer()
        if answer.kind == "audio/wav":
            answer = piece_of(answer, self.headers.get("Range"))
        self._send(answer)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        if isinstance(self.server.answers, Accepting):
            self._send(self._accepted(self.server.answers))
        else:
            self.send_error(501)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**_FOR_ALL, "Content-Type": answer.kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _answer(self) -> Answer:
        path, query, refusal = self._asked()
        return refusal or _or_bug(lambda: self.server.answers.answer(path, query))

    def _accepted(self, answers: Accepting) -> Answer:
        """What is said to something that is sent; a page from elsewhere would send its own origin, or no JSON."""
        length = self.headers.get("Content-Length") or ""
        if not length.isascii() or not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True  # what was sent is not read
            return failed(413, f"more than {_MOST_BYTES} bytes, or nobody knows how many")
        body = self.rfile.read(int(length))
        path, _, refusal = self._asked()
        origin = self.headers.get("Origin")
        if refusal is None and origin not in (None, f"http://{self.headers.get('Host')}"):
            refusal = _refused("this page came from elsewhere")
        if refusal is None and self.headers.get_content_type() != "application/json":
            refusal = failed(415, "what is sent has to be JSON")
        if refusal is not None:
            return refusal
        try:
            given = json.loads(body)
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return failed(400, "what is sent has to be a JSON object")
        return _or_bug(lambda: answers.accept(path, given))

    def _asked(self) -> tuple[str, str, Answer | None]:
        """Path and query, and why they are not answered, if they are not."""
        address, _, query = self.path.partition("?")
        token, _, path = address.lstrip("/").partition("/")
        if not self.server.knows(self.headers.get("Host")):
            return path, query, _refused("this host name is not this machine's")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()):
            command = self.server.answers.command
            return (
                path,
                query,
                _refused(f"the address lacks its token: take the whole address that {command} has printed"),
            )
        return path, query, None

    def version_string(self) -> str:
        return "parlure"

    def log_message(self, *arguments: Any) -> None:
        """Nothing: the terminal is for what goes wrong, and a log would hold the token."""


def piece_of(answer: Answer, asked: str | None) -> Answer:
    """The bytes of an answer that a ``Range`` header asks for; all of them where it asks for several, or none."""
    whole = {**answer.headers, "Accept-Ranges": "bytes"}
    match = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", asked or "")
    if not match or match[1] == match[2] == "":
        return Answer(answer.status, answer.kind, answer.body, whole)
    length = len(answer.body)
    if match[1]:
        first, last = int(match[1]), min(int(match[2] or length), length - 1)
    else:  # the last so many
        first, last = max(0, length - int(match[2])), length - 1
    if first > last:
        return Answer(416, answer.kind, b"", {**whole, "Content-Range": f"bytes */{length}"})
    place = f"bytes {first}-{last}/{length}"
    return Answer(206, answer.kind, answer.body[first : last + 1], {**whole, "Content-Range": place})


def open_server(folder: str | os.PathLike[str], host: str = "127.0.0.1", port: int = 0) -> CorpusServer:
    """A server that shows a corpus folder; to be closed, or used in a ``with``.

    Raises:
        ParlureError: no such corpus, or one that is not whole; the port or the host cannot be had.
    """
    return CorpusServer(Answers(Corpus.load(os.fspath(folder))), host, port)


def _or_bug(say: Callable[[], Answer]) -> Answer:
    try:
        return say()
    except Exception:
        traceback.print_exc()
        return Answer(500, "text/plain; charset=utf-8", b"this is a bug in parlure; the terminal says where\n")


def _refused(why: str) -> Answer:
    return Answer(403, "text/plain; charset=utf-8", f"{why}\n".encode())
