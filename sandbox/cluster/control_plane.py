"""Starts, supervises and stops the control plane: etcd and API server first, then their clients."""

import http.client
import os
import socket
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox import process, trust
from sandbox.cluster import commands, kubeconfig, pki
from sandbox.layout import HOST, Layout

STORE_AND_API = ("etcd", "kube-apiserver")
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
_ALL = (*STORE_AND_API, *CONTROLLERS)

# Measured on 2 busy cores: etcd 1 s, API server 4 s, the others 2 s. A cold disk can take several times
# longer.
_READY_WITHIN_S = 60.0
_PROBE_TIMEOUT_S = 2.0


class PortInUseError(process.ProcessError):
    """A port of the sandbox is in use by another program; the message is one line for users."""


def start(layout: Layout, tools: Mapping[str, Path], names: Iterable[str] = _ALL) -> None:
    """Start the missing processes of `names`, wait until all are ready, write the kubeconfig.

    `tools` maps names to executables. Raises PortInUseError and process.ProcessError, both with a message of
    one line; processes already started continue, and the next `start` continues from there.
    """
    wanted = [name for name in _ALL if name in set(names)]
    layout.directory.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        _claim_ports(layout, name)
    authority = pki.ensure(layout.pki)
    _write_kubeconfigs(layout, authority)
    # Two waves: the API server retries a missing store, but the others retry a missing API server only after
    # seconds of backoff.
    for wave in (STORE_AND_API, CONTROLLERS):
        started = [(name, _start(layout, authority, tools, name)) for name in wave if name in wanted]
        for name, running in started:
            process.wait_until(lambda name=name: ready(layout, name), running, layout, _READY_WITHIN_S)  # type: ignore[misc]


def stop(layout: Layout, names: Iterable[str] = _ALL) -> None:
    """Stop the processes `names`, clients first, so that no client waits for a stopped server."""
    for name in reversed([name for name in _ALL if name in set(names)]):
        process.stop(layout, name)


def restart(layout: Layout, tools: Mapping[str, Path], name: str) -> None:
    """Restart a process; its data stays."""
    stop(layout, [name])
    start(layout, tools, [name])


def ready(layout: Layout, name: str | None = None) -> bool:
    """Whether process `name` reports ready (default: all processes)."""
    if name is None:
        return all(ready(layout, each) for each in _ALL)
    port, path = {
        "etcd": (layout.etcd_port, "/readyz"),
        "kube-apiserver": (layout.apiserver_port, "/readyz"),
        "kube-controller-manager": (layout.controller_manager_port, "/healthz"),
        "kube-scheduler": (layout.scheduler_port, "/readyz"),
    }[name]
    try:
        trusting = store_context(layout) if name == "etcd" else trust.context(pki.Pki(layout.pki).ca)
        return _answers_200(port, path, trusting)
    except OSError:  # the certificates do not exist yet
        return False


def store_context(layout: Layout) -> ssl.SSLContext:
    """Return the TLS context of an etcd client: etcd's authority, the API server's own certificate."""
    store = pki.Pki(layout.pki).store
    trusting = trust.context(store.ca)
    client = store.pair(pki.STORE_CLIENT)
    trusting.load_cert_chain(client.certificate, client.key)
    return trusting


def _start(layout: Layout, authority: pki.Pki, tools: Mapping[str, Path], name: str) -> process.Running:
    running = process.find(layout, name)
    if running:
        return running
    # Only variables of a Go program: a proxy variable of the user's shell would misdirect loopback calls.
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(layout.directory), **commands.ENVIRONMENT[name]}
    return process.start(layout, name, commands.command(name, layout, authority, tools), env)


def _write_kubeconfigs(layout: Layout, authority: pki.Pki) -> None:
    kubeconfig.write(layout, authority, "admin", layout.kubeconfig)
    for client in ("controller-manager", "scheduler"):
        kubeconfig.write(layout, authority, client, commands.client_kubeconfig(layout, client))


def _claim_ports(layout: Layout, name: str) -> None:
    if process.find(layout, name):
        return
    for port in {
        "etcd": (layout.etcd_port, layout.etcd_peer_port),
        "kube-apiserver": (layout.apiserver_port,),
        "kube-controller-manager": (layout.controller_manager_port,),
        "kube-scheduler": (layout.scheduler_port,),
    }[name]:
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            raise PortInUseError(
                f"port {port} on {HOST}, which {name} needs, is taken by another program: "
                "stop that program, or run `make down` and `make up`, which choose other ports"
            ) from None


def _answers_200(port: int, path: str, trusting: ssl.SSLContext) -> bool:
    connection = http.client.HTTPSConnection(HOST, port, timeout=_PROBE_TIMEOUT_S, context=trusting)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
