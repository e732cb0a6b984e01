"""HTTP to an API server, configured by a kubeconfig."""

import base64
import json
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import urllib3
import yaml

from sandbox import trust

_CONNECT_TIMEOUT_S: Final = 5.0
_READ_TIMEOUT_S: Final = 60.0
_POOL: Final = 64  # the number of threads of the service


class ConfigError(Exception):
    """The kubeconfig cannot be used; the message is a line for people."""


class ApiError(Exception):
    """The API server refused a request; the message is the server's, complete."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Address of the API server and the client's credentials."""

    server: str
    namespace: str
    tls: ssl.SSLContext | None
    headers: Mapping[str, str]


def load(kubeconfig: str, context: str = "", namespace: str = "") -> Access:
    """Return the access from `kubeconfig` (a path, several joined by `:`, or the document itself).

    Raises ConfigError with the file or entry that is missing or unsupported.
    """
    document, directory = _document(kubeconfig)
    name = context or document.get("current-context") or ""
    chosen = _entry(document, "contexts", name)
    cluster = _entry(document, "clusters", chosen.get("cluster", ""))
    user = _entry(document, "users", chosen["user"]) if chosen.get("user") else {}
    if unsupported := {"exec", "auth-provider", "username"} & set(user):
        kind = min(unsupported)
        raise ConfigError(
            f"kubeconfig user {chosen['user']!r} logs in by {kind}, which the offline provider cannot do: "
            "use a client certificate or a token, or set SANDBOX_PLUGINS=official"
        )
    return Access(
        server=str(cluster["server"]).rstrip("/"),
        namespace=namespace or chosen.get("namespace") or "default",
        tls=_tls(cluster, user, directory) if str(cluster["server"]).startswith("https") else None,
        headers=_authorization(user, directory),
    )


class Connection:
    """Requests to the API server; safe for use from many threads."""

    def __init__(self, access: Access) -> None:
        self.namespace = access.namespace
        self._server = access.server
        self._headers = dict(access.headers)
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=_POOL,
            ssl_context=access.tls,
            timeout=urllib3.Timeout(connect=_CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S),
            retries=urllib3.Retry(total=2, backoff_factor=0.2, allowed_methods={"GET"}),
        )

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the object at `path`."""
        return self.send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        """Send a request; return the object of the response.

        Raises ApiError for a refusal, ConnectionError for an unreachable server.
        """
        headers = self._headers | {"Accept": "application/json", "Content-Type": content}
        url = f"{self._server}{path}?{urlencode(query)}" if query else self._server + path
        sent = None if body is None else json.dumps(body)
        try:
            answer = self._pool.request(method, url, body=sent, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise ConnectionError(f"{self._server}: {cause}") from error
        return _answer(answer.status, answer.data)


def _answer(status: int, data: bytes) -> dict[str, Any]:
    try:
        answered = json.loads(data) if data else {}
    except ValueError:
        answered = {"message": data.decode(errors="replace").strip()}
    if status >= HTTPStatus.BAD_REQUEST:
        raise ApiError(status, answered.get("reason", ""), answered.get("message") or f"HTTP status {status}")
    return answered if isinstance(answered, dict) else {}


def _document(kubeconfig: str) -> tuple[dict[str, Any], Path]:
    """Return the parsed kubeconfig, and the base directory of its relative paths."""
    if "\n" in kubeconfig or kubeconfig.lstrip().startswith("{"):
        text, directory = kubeconfig, Path.cwd()
    else:
        paths = [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part]
        found = next((path for path in paths if path.is_file()), None)
        if found is None:
            raise ConfigError(f"no kubeconfig at {kubeconfig}: set KUBECONFIG or kubernetes:kubeconfig")
        text, directory = found.read_text(), found.parent
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"the kubeconfig is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ConfigError("the kubeconfig holds no mapping: it should begin with `apiVersion: v1`")
    return document, directory


def _entry(document: Mapping[str, Any], section: str, name: str) -> dict[str, Any]:
    for each in document.get(section) or ():
        if each.get("name") == name:
            entry = each.get(section[:-1])
            return entry if isinstance(entry, dict) else {}
    known = ", ".join(str(each.get("name")) for each in document.get(section) or ()) or "none"
    raise ConfigError(f"the kubeconfig has no {section[:-1]} {name!r} (it has: {known})")


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any], directory: Path) -> ssl.SSLContext:
    context = trust.context()
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authority := _pem(cluster, "certificate-authority", directory):
        context = trust.context(pem=authority.decode())
    certificate, key = (_pem(user, f"client-{what}", directory) for what in ("certificate", "key"))
    if certificate and key:
        with tempfile.NamedTemporaryFile() as both:  # load_cert_chain reads only files; 0600, deleted at once
            both.write(certificate + b"\n" + key)
            both.flush()
            context.load_cert_chain(both.name)
    return context


def _pem(entry: Mapping[str, Any], name: str, directory: Path) -> bytes | None:
    if inline := entry.get(f"{name}-data"):
        return base64.b64decode(inline)
    path = entry.get(name)
    return (directory / path).read_bytes() if path else None


def _authorization(user: Mapping[str, Any], directory: Path) -> dict[str, str]:
    token = user.get("token") or ""
    if not token and user.get("tokenFile"):
        token = (directory / user["tokenFile"]).read_text().strip()
    return {"Authorization": f"Bearer {token}"} if token else {}
