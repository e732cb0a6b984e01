"""TLS to the API server: verify chain, validity and name, but not the strict form of RFC 5280.

Many cluster CAs lack the strict form. EKS's CA has no key identifiers, and from Python 3.13 on urllib3
refuses such a CA by VERIFY_X509_STRICT (kubernetes-client/python#2394). kubectl accepts such a CA.
"""

import contextlib
import ssl
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from urllib3.connection import HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context, resolve_cert_reqs

_RENEW = "renew that certificate, or set this machine's clock"
_NAME = "use a name or address of that certificate in the kubeconfig's server, or set its tls-server-name"
_TRUST = "set the CA that issued it: certificate-authority of the kubeconfig, ca.crt of the ServiceAccount"
# By OpenSSL's code, X509_V_ERR_* in x509_vfy.h; any other code concerns the chain.
_CURES = {9: _RENEW, 10: _RENEW, 62: _NAME, 64: _NAME}
_PROXY_CURE = (
    "use a proxy with a certificate issued by the kubeconfig's certificate-authority, or an http:// proxy"
)


class _Connection(HTTPSConnection):
    """A connection with a context of its own.

    A shared context would keep every loaded CA. Of two CAs with one name and no key identifiers OpenSSL tries
    only the first, so a replaced CA would never be trusted.
    """

    def connect(self) -> None:
        self.ssl_context = _context(
            self.cert_reqs, default=not (self.ca_certs or self.ca_cert_dir or self.ca_cert_data)
        )
        super().connect()


def lenient_client(configuration: Configuration) -> ApiClient:
    """Return a client that verifies only chain, validity and name of each certificate.

    Raises urllib3's errors for an unusable proxy.
    """
    if str(configuration.proxy or "").startswith("https:") and configuration.proxy_ssl_context is None:
        configuration.proxy_ssl_context = _proxy_context(configuration)
    client = ApiClient(configuration)
    manager: urllib3.PoolManager = client.rest_client.pool_manager
    pool: Any = manager.pool_classes_by_scheme["https"]  # the pool class for the proxy
    connection = type("Connection", (_Connection, pool.ConnectionCls), {})
    lenient = type("Pool", (pool,), {"ConnectionCls": connection})
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": lenient}
    return client


def refused_certificate(error: BaseException | None) -> str:
    """Describe in one line the certificate behind `error`, and the cure; "" for any other error."""
    proxy = False
    while error is not None:
        proxy = proxy or isinstance(error, urllib3.exceptions.ProxyError)
        if isinstance(error, ssl.SSLCertVerificationError):
            whose, cure = "API server", _CURES.get(error.verify_code, _TRUST)
            if proxy:
                whose, cure = "proxy", _PROXY_CURE
            why = " ".join(str(error.verify_message).split()).rstrip(".")
            return f"certificate of the {whose} is refused: {why}; {cure}"
        inner = next((each for each in error.args if isinstance(each, BaseException)), None)
        error = inner or error.__cause__ or error.__context__
    return ""


def _context(cert_reqs: Any, *, default: bool) -> ssl.SSLContext:
    """Return urllib3's context without the strict form; `default` trusts this machine's CAs."""
    context = create_urllib3_context(cert_reqs=resolve_cert_reqs(cert_reqs))
    # A trusted intermediate CA needs no root, as for kubectl; Python's default from 3.13 on.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if default:
        context.load_default_certs()
    return context


def _proxy_context(configuration: Configuration) -> ssl.SSLContext:
    """Trust for an HTTPS proxy, as urllib3 does by default: the cluster's CA if given."""
    authority = configuration.ssl_ca_cert
    required = ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE
    context = _context(required, default=not authority)
    if authority:
        with contextlib.suppress(OSError):  # without a readable CA no certificate is trusted
            context.load_verify_locations(authority)
    return context
