"""Kubeconfig files: the user's, the controller manager's and the scheduler's access to the API server."""

import base64
import os
from pathlib import Path
from typing import Any

import yaml

from sandbox.cluster.pki import Pki
from sandbox.layout import Layout

CONTEXT = "sandbox"


def write(layout: Layout, pki: Pki, client: str, path: Path) -> None:
    """Write a kubeconfig for `client` (a name in pki.CLIENTS), readable only by its owner.

    The certificates are embedded, so the file can be copied.
    """
    pair = pki.pair(client)
    content = _config(
        server=layout.apiserver_url,
        authority=_inline(pki.ca),
        certificate=_inline(pair.certificate),
        key=_inline(pair.key),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        yaml.safe_dump(content, file, sort_keys=False)


def _config(*, server: str, authority: str, certificate: str, key: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {"name": CONTEXT, "cluster": {"server": server, "certificate-authority-data": authority}}
        ],
        "users": [
            {
                "name": CONTEXT,
                "user": {"client-certificate-data": certificate, "client-key-data": key},
            }
        ],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
    }


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
