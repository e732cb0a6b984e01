"""The command line of the control plane processes, with the reasons for uncommon flags."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.cluster.pki import STORE_CLIENT, STORE_SERVER, Pki
from sandbox.layout import HOST, ISSUER, Layout

SERVICE_CIDR = "10.96.0.0/16"

# `pulumi destroy` and rollouts need the first group (without the namespace controller a Namespace is never
# removed); the second group makes node failure and drains real: NotReady, eviction, orphaned Pods, budgets.
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

# Go returns memory late on an idle machine; a soft limit keeps four processes within a laptop's spare memory.
# (Without a limit, kube-apiserver alone had 265 MB RSS.)
ENVIRONMENT = {
    "etcd": {"GOMEMLIMIT": "128MiB"},
    "kube-apiserver": {"GOMEMLIMIT": "256MiB"},
    "kube-controller-manager": {"GOMEMLIMIT": "96MiB"},
    "kube-scheduler": {"GOMEMLIMIT": "96MiB"},
}


def command(name: str, layout: Layout, pki: Pki, tools: Mapping[str, Path]) -> Sequence[str | Path]:
    """Return the command of process `name`; `tools` maps process names to executables."""
    arguments = {
        "etcd": _etcd,
        "kube-apiserver": _apiserver,
        "kube-controller-manager": _controller_manager,
        "kube-scheduler": _scheduler,
    }[name](layout, pki)
    return [tools[name], *arguments]


def client_kubeconfig(layout: Layout, client: str) -> Path:
    """Return the kubeconfig path of a control plane process."""
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
        # Every local user can reach a loopback port: without client certificates, any user could bypass the
        # API server's RBAC.
        "--client-cert-auth",
        f"--trusted-ca-file={trusted}",
        f"--cert-file={own.certificate}",
        f"--key-file={own.key}",
        "--peer-client-cert-auth",
        f"--peer-trusted-ca-file={trusted}",
        f"--peer-cert-file={own.certificate}",
        f"--peer-key-file={own.key}",
        "--log-level=warn",
        "--unsafe-no-fsync",  # data lost in a power cut is created again by the next `make up`
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
        # No Pod network leads to a Service address, so the endpoints of `kubernetes` have no maintainer; a
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
        # With upstream's 300 s, Pods would stay on a killed node for five minutes.
        "--default-not-ready-toleration-seconds=30",
        "--default-unreachable-toleration-seconds=30",
        "--profiling=false",
        "--v=1",
    ]


def _controller_manager(layout: Layout, pki: Pki) -> list[str]:
    return [
        *_client_process(layout, pki, "controller-manager", layout.controller_manager_port),
        f"--controllers={','.join(_CONTROLLERS)}",
        "--use-service-account-credentials=true",  # each controller has only its own RBAC role
        f"--root-ca-file={pki.ca}",
        f"--service-account-private-key-file={pki.service_account_key}",
        # 50 s upstream; sandbox nodes renew their Lease every 5 s, so four renewals in a row are missing by
        # then.
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
        "--leader-elect=false",  # a single instance of each process
        "--profiling=false",
    ]
