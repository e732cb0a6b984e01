"""The command line of each control plane process, with the reason for each flag that is not obvious."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.cluster.pki import STORE_CLIENT, STORE_SERVER, Pki
from sandbox.layout import HOST, ISSUER, Layout

SERVICE_CIDR = "10.96.0.0/16"

# `pulumi destroy` and rollouts need the first group (without the namespace controller a Namespace is never
# gone); the second makes node failure and drains real: NotReady, eviction, orphaned Pods, budgets.
_CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "deployment-controller",
    "replicaset-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "endpointslice-controller",
    "node-lifecycle-controller",
    "taint-eviction-controller",
    "pod-garbage-collector-controller",
    "disruption-controller",
)

# Go returns memory late on an idle machine; a soft limit keeps four processes within a laptop's spare room.
# (kube-apiserver alone was measured at 265 MB RSS without it.)
ENVIRONMENT = {
    "etcd": {"GOMEMLIMIT": "128MiB"},
    "kube-apiserver": {"GOMEMLIMIT": "256MiB"},
    "kube-controller-manager": {"GOMEMLIMIT": "96MiB"},
    "kube-scheduler": {"GOMEMLIMIT": "96MiB"},
}


def command(name: str, layout: Layout, pki: Pki, tools: Mapping[str, Path]) -> Sequence[str | Path]:
    """The command of process `name`; `tools` maps each process to its executable."""
    arguments = {
        "etcd": _etcd,
        "kube-apiserver": _apiserver,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
    }[name](layout, pki)
    return [tools[name], *arguments]


def client_kubeconfig(layout: Layout, client: str) -> Path:
    """Where the kubeconfig of a control plane process lies."""
    return layout.pki / f"{client}.kubeconfig"


def _etcd(layout: Layout, pki: Pki) -> list[str]:
    peer = f"https://{HOST}:{layout.etcd_peer_port}"
    own, trusted = pki.store.pair(STORE_SERVER), pki.store.ca
    return [
        "--name=sandbox",
        f"--data-dir={layout.directory / 'etcd'}",
        f"--listen-client-urls={layout.etcd_url}",
        f"--advertise-client-urls={layout.etcd_url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        # Every user of this machine reaches a loopback port: without a client's certificate nobody reads or
        # writes what is behind the API server's RBAC.
        "--client-cert-auth",
        f"--trusted-ca-file={trusted}",
        f"--cert-file={own.certificate}",
        f"--key-file={own.key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={trusted}",
        f"--peer-cert-file={own.certificate}",
        f"--peer-key-file={own.key}",
        "--log-level=warn",
        "--unsafe-no-fsync",  # what a sandbox forgets in a power cut is made again by the next `make up`
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
    ]


def _apiserver(layout: Layout, pki: Pki) -> list[str]:
    serving, store = pki.pair("serving"), pki.store.pair(STORE_CLIENT)
    return [
        f"--etcd-servers={layout.etcd_url}",
        f"--etcd-cafile={pki.store.ca}",
        f"--etcd-certfile={store.certificate}",
        f"--etcd-keyfile={store.key}",
        f"--bind-address={HOST}",
        f"--secure-port={layout.apiserver_port}",
        # No Pod network leads to a Service address here, so nobody keeps the endpoints of `kubernetes`; a
        # loopback address would not be a valid endpoint anyway.
        f"--advertise-address={HOST}",
        "--endpoint-reconciler-type=none",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={pki.ca}",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki.service_account_key}",
        f"--service-account-signing-key-file={pki.service_account_key}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        # Upstream's 300 s would make everyone who kills a node here wait five minutes for its Pods to move.
        "--default-not-ready-toleration-seconds=30",
        "--default-unreachable-toleration-seconds=30",
        "--profiling=false",
        "--v=1",
    ]


def _controller_manager(layout: Layout, pki: Pki) -> list[str]:
    return [
        *_client_process(layout, pki, "controller-manager", layout.controller_manager_port),
        f"--controllers={','.join(_CONTROLLERS)}",
        "--use-service-account-credentials=true",  # each controller is held to its own RBAC role
        f"--root-ca-file={pki.ca}",
        f"--service-account-private-key-file={pki.service_account_key}",
        # 50 s upstream; sandbox nodes renew their Lease every 5 s, so four in a row are missing by then.
        "--node-monitor-grace-period=20s",
        "--kube-api-qps=100",
        "--kube-api-burst=200",
    ]


def _scheduler(layout: Layout, pki: Pki) -> list[str]:
    return _client_process(layout, pki, "scheduler", layout.scheduler_port)


def _client_process(layout: Layout, pki: Pki, client: str, port: int) -> list[str]:
    serving = pki.pair("serving")
    kubeconfig = client_kubeconfig(layout, client)
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        "--leader-elect=false",  # there is one of each
        "--profiling=false",
    ]
