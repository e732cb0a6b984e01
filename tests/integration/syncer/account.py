"""The syncer's ServiceAccount in a real API server: its rights, and tokens that can be made to die."""

from dataclasses import dataclass
from http.client import HTTPSConnection
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from sandbox import trust
from sandbox.layout import HOST
from tests.integration.syncer.household import Household

_CORE = "/api/v1/namespaces/default"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_NUMBERS = count(1)


@dataclass(slots=True)
class Account:
    """One ServiceAccount, without any right at first."""

    home: Household
    name: str = ""

    def __post_init__(self) -> None:
        self.name = f"nlb-sync-{next(_NUMBERS)}"
        self.home.api.create(f"{_CORE}/serviceaccounts", {"metadata": {"name": self.name}})

    def grant(self, *verbs: str, resources: tuple[str, ...] = ("nodes", "services")) -> None:
        """Let it do this with the `resources`; without verbs all that the stack allows, there and else."""
        rules = [{"apiGroups": [""], "resources": list(resources), "verbs": list(verbs) or ["list", "watch"]}]
        if not verbs:
            own = ["get", "create", "update", "patch"]
            rules += [
                {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["configmaps", "events"], "verbs": own},
                {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": own},
            ]
        self.home.api.create(f"{_RBAC}/clusterroles", {"metadata": {"name": self.name}, "rules": rules})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self.name}
        subject = {"kind": "ServiceAccount", "name": self.name, "namespace": "default"}
        binding = {"metadata": {"name": self.name}, "roleRef": role, "subjects": [subject]}
        self.home.api.create(f"{_RBAC}/clusterrolebindings", binding)

    def revoke(self) -> None:
        """Take its rights away."""
        self.home.api.delete(f"{_RBAC}/clusterrolebindings/{self.name}")
        self.home.api.delete(f"{_RBAC}/clusterroles/{self.name}")

    def token(self) -> "Token":
        """A new token that lives as long as a Secret made for it (boundObjectRef of a TokenRequest)."""
        secret = f"{self.name}-{next(_NUMBERS)}"
        made = self.home.api.create(f"{_CORE}/secrets", {"metadata": {"name": secret}})
        bound = {"kind": "Secret", "apiVersion": "v1", "name": secret, "uid": made["metadata"]["uid"]}
        path = f"{_CORE}/serviceaccounts/{self.name}/token"
        text = self.home.api.create(path, {"spec": {"boundObjectRef": bound}})["status"]["token"]
        return Token(self.home, secret, text)

    def mount(self, token: "Token") -> Path:
        """A Pod's mounts with this token; the token's file is what is returned."""
        root = self.home.layout.directory / f"pod-{next(_NUMBERS)}"
        secrets = root / "var/run/secrets/kubernetes.io/serviceaccount"
        secrets.mkdir(parents=True)
        (secrets / "ca.crt").write_bytes((self.home.layout.pki / "ca.crt").read_bytes())
        (secrets / "token").write_text(token.text)
        (secrets / "namespace").write_text("default")
        return secrets / "token"

    def in_pod(self, token_file: Path, port: int, pod: str = "") -> dict[str, str]:
        """The environment of a Pod with these mounts that finds the API server on a loopback port.

        Its Lease is called like its Deployment, where `pod` is a Pod's name; else it has one of its own.
        """
        return {
            **({"HOSTNAME": pod} if pod else {"NLB_SYNC_NAME": self.name}),
            "KUBECONFIG": "",
            "KUBERNETES_SERVICE_HOST": HOST,
            "KUBERNETES_SERVICE_PORT": str(port),
            "CONTAINER_SANDBOX_MOUNT_POINT": str(token_file.parents[5]),
            "NLB_SYNC_ADDRESS": HOST,
        }

    def outside(self, token_file: Path, port: int) -> dict[str, str]:
        """The same by a kubeconfig that names the token's file."""
        config: dict[str, Any] = yaml.safe_load(self.home.layout.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://{HOST}:{port}"
        config["users"][0]["user"] = {"tokenFile": str(token_file)}
        path = token_file.parent / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return {"KUBECONFIG": str(path)}


@dataclass(frozen=True, slots=True)
class Token:
    """One token and what it lives by."""

    home: Household
    secret: str
    text: str

    def kill(self) -> None:
        """From now on the API server does not know it any more; returns when that is so."""
        self.home.api.delete(f"{_CORE}/secrets/{self.secret}")
        # The API server remembers for 10 s whom it has taken a token for.
        self.home.until(lambda: self._status() == 401, within=20)

    def _status(self) -> int:
        context = trust.context(self.home.layout.pki / "ca.crt")
        connection = HTTPSConnection(HOST, self.home.layout.apiserver_port, timeout=5, context=context)
        try:
            connection.request(
                "GET", "/api/v1/nodes?limit=1", headers={"Authorization": f"Bearer {self.text}"}
            )
            return connection.getresponse().status
        finally:
            connection.close()
