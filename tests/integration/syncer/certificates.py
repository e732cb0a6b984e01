"""Certificate authorities as clusters have them, and an HTTPS server that shows what they issue."""

import datetime as dt
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.layout import HOST

_DAY = dt.timedelta(days=1)
_NODES = {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]}
_EVENT = {"type": "ADDED", "object": {"metadata": {"name": "b"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA: without key identifiers, basicConstraints not critical, unless `form` asks for RFC 5280's."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    form: bool = False

    @classmethod
    def make(
        cls,
        name: str = "kubernetes",
        *,
        form: bool = False,
        usage: bool = True,
        parent: "Authority | None" = None,
    ) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = parent.certificate.subject if parent else _name(name)
        builder = _builder(_name(name), issuer, key, -_DAY, _DAY).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=form
        )
        if usage:
            builder = builder.add_extension(_USAGE, critical=True)
        if form:
            identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        certificate = builder.sign(parent.key if parent else key, hashes.SHA256())
        return cls(certificate=certificate, key=key, form=form)

    def issue(
        self,
        directory: Path,
        name: str = "api",
        *,
        names: Sequence[str] = (HOST,),
        since: dt.timedelta = -_DAY,
        until: dt.timedelta = _DAY,
    ) -> Path:
        """A file with a certificate for `names`, that of this CA, and the key."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_alternative(each) for each in names])
        builder = _builder(_name(name), self.certificate.subject, key, since, until)
        builder = builder.add_extension(alternatives, critical=False)
        if self.form:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        file = directory / f"{name}.pem"
        file.write_text(_pem(builder.sign(self.key, hashes.SHA256())) + self.pem + _secret(key))
        return file

    @property
    def pem(self) -> str:
        """What clients trust."""
        return _pem(self.certificate)


@contextmanager
def https(shown: Path, clients: Authority | None = None) -> Iterator[int]:
    """A server, by its port, that lists Node `a` and watches Node `b`; `clients` is the CA of its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients.pem)
    with _Server((HOST, 0), _Handler) as server:
        server.context = context
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def handle_error(self, *_: object) -> None:
        """A client that refuses the certificate is what the tests are about."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the connection."""
        with self.context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self._reply(_EVENT if "watch=1" in self.path else _NODES)

    def do_POST(self) -> None:
        """An answer to AWS's clients that has nothing of AWS's."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._reply({})

    def log_message(self, *_: object) -> None:
        pass

    def _reply(self, document: object) -> None:
        body = json.dumps(document).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=False,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    since: dt.timedelta,
    until: dt.timedelta,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _secret(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
