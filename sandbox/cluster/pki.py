"""The cluster's own certificate authority, for mutual authentication of the control plane's processes."""

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A sandbox lasts for days; a year is enough for a sandbox left over a holiday.
_VALID = dt.timedelta(days=365)
_CLOCK_SKEW = dt.timedelta(hours=1)

SERVING_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
SERVING_ADDRESSES = ("127.0.0.1", "10.96.0.1")

# Common name and groups of the clients in the API server's RBAC (the bootstrap ClusterRoleBindings of
# k8s.io/kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
CLIENTS = {
    "admin": ("sandbox-admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
}
# The store has its own authority, as with kubeadm: no client of the API server is a client of etcd. etcd is a
# client of itself (peers, and its HTTP gateway), so its certificate serves both purposes.
STORE_SERVER, STORE_CLIENT = "etcd", "apiserver-etcd-client"
_SERVERS = {"serving": "kube-apiserver", STORE_SERVER: "etcd"}
_STORE_CLIENTS = {STORE_CLIENT: ("kube-apiserver-etcd-client", None)}


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Pki:
    """The files of the cluster's PKI below a directory."""

    directory: Path

    def pair(self, name: str) -> Pair:
        """Return the certificate and key of `name`: `ca`, `serving`, or a name of CLIENTS or the store."""
        return Pair(self.directory / f"{name}.crt", self.directory / f"{name}.key")

    @property
    def ca(self) -> Path:
        """The CA certificate for clients."""
        return self.pair("ca").certificate

    @property
    def store(self) -> "Pki":
        """The PKI of etcd and its client, the API server."""
        return Pki(self.directory / "etcd")

    @property
    def service_account_key(self) -> Path:
        """The signing key of ServiceAccount tokens."""
        return self.directory / "service-account.key"


def ensure(directory: Path) -> Pki:
    """Return the PKI in `directory`; create a missing PKI. Keys are readable only by their owner."""
    pki = Pki(directory)
    if pki.service_account_key.exists():  # written last: the PKI is complete
        return pki
    _make(pki, ("serving", *CLIENTS))
    _make(pki.store, (STORE_SERVER, STORE_CLIENT))
    _write_private(pki.service_account_key, _pem(ec.generate_private_key(ec.SECP256R1())))
    return pki


def _make(pki: Pki, names: tuple[str, ...]) -> None:
    """Create an authority, and a certificate for each name."""
    pki.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    _write(pki.pair("ca"), authority, authority_key)
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        _write(pki.pair(name), _issue(name, key, authority, authority_key), key)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node-nlb-sync sandbox")])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _certificate(name, name, key.public_key())
        # As in the CAs of real clusters: not critical, and no key identifiers here or in the issued
        # certificates.
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _issue(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    builder = _certificate(_subject(name), authority.subject, key.public_key())
    purposes = []
    if name in _SERVERS:
        alternatives: list[x509.GeneralName] = [x509.DNSName(dns) for dns in SERVING_NAMES]
        alternatives += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in SERVING_ADDRESSES]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
    if name != "serving":
        purposes.append(ExtendedKeyUsageOID.CLIENT_AUTH)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _subject(name: str) -> x509.Name:
    common_name, group = (CLIENTS | _STORE_CLIENTS).get(name) or (_SERVERS[name], None)
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID)
    )


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    _write_private(pair.key, _pem(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
