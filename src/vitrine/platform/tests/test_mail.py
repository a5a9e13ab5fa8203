import socketserver
import threading
from collections.abc import Iterator

import pytest

from vitrine.errors import Invalid, Unavailable
from vitrine.platform.mail import Email, Smtp, transport_of


class Server(socketserver.ThreadingTCPServer):
    """As much of RFC 5321 as a client needs; *refusal* answers RCPT."""

    allow_reuse_address = True
    daemon_threads = True
    refusal = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SmtpHandler)
        self.received: list[str] = []


class SmtpHandler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip().upper():
            if line.startswith("RCPT") and self.server.refusal:
                self.say(self.server.refusal)
            elif line == "DATA":
                self.say("354 go on")
                self.server.received.append(self.letter())
                self.say("250 taken")
            elif line == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 yes")

    def letter(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        return "".join(lines)

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def send(server: Server) -> None:
    message = Email("ada@museum.example", "Été", "Bonjour\n").message("vitrine@dam.test")
    transport_of(f"smtp://127.0.0.1:{server.server_address[1]}", None).send(message)  # type: ignore[arg-type]


def test_a_letter_arrives(server: Server) -> None:
    send(server)
    (letter,) = server.received
    assert "To: ada@museum.example" in letter
    assert "Auto-Submitted: auto-generated" in letter
    assert "Bonjour" in letter


def test_an_address_that_is_refused_is_not_tried_again_and_a_busy_server_is(server: Server) -> None:
    server.refusal = "550 nobody here"
    with pytest.raises(Invalid):
        send(server)
    server.refusal = "450 later"
    with pytest.raises(Unavailable):
        send(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(Unavailable) as refusal:
        send(server)
    assert "museum" not in refusal.value.why


def test_addresses_of_mail_servers() -> None:
    transport = transport_of("smtp://me:p%40ss@mail.example?starttls", None)  # type: ignore[arg-type]
    assert transport == Smtp("mail.example", 587, "me", "p@ss", "starttls")
    assert transport_of("smtps://mail.example", None) == Smtp("mail.example", 465, "", "", "tls")  # type: ignore[arg-type]
    for url in ("http://mail.example", "smtp://", "smtp://a:b@mail.example", "smtp://mail.example?tls", "smtp://h:x"):
        with pytest.raises(Invalid, match="smtp_url"):
            transport_of(url, None)  # type: ignore[arg-type]
