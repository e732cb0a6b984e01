"""Check in the cluster that the namespaces of the configuration exist."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pulumi

from .keys import Settings
from .problems import Change, Problem

_TIMEOUT_S: Final = (3.0, 5.0)  # to connect, to read: a preview must not wait for an unreachable cluster
_MISSING: Final = 404
_DENIED: Final = 403


def wrong_namespaces(settings: Settings, opts: pulumi.ResourceOptions | None) -> Iterator[Problem]:
    """Report namespaces that the cluster lacks and the stack does not create.

    Only the default Kubernetes provider's cluster is read: the SDK does not reveal the kubeconfig of a
    provider resource. A component with dependencies may get its namespace from them. An unreachable cluster
    is not a problem here: the provider reports it where it matters.
    """
    ingress, syncer = settings.ingress, settings.syncer.namespace
    wanted: dict[str, Problem] = {}
    allowed = "a namespace of the cluster"
    if isinstance(ingress.namespace, str) and not ingress.create_namespace:
        path, fix = "ingress.namespace", Change("ingress.createNamespace", "true")
        missing = f"{ingress.namespace}, which the cluster lacks"
        other = f"give the namespace of the Service {ingress.name}"
        wanted[ingress.namespace] = Problem(path, missing, allowed, fix if ingress.create else other)
    if isinstance(syncer, str) and syncer != ingress.namespace:
        fix_ = f"kubectl create namespace {syncer}"
        wanted[syncer] = Problem("syncer.namespace", f"{syncer}, which the cluster lacks", allowed, fix_)
    if not wanted or foreign(opts):
        return
    client = connected()
    for name, problem in wanted.items():
        if client is not None and status(client, name) == _MISSING:
            yield problem


def foreign(opts: pulumi.ResourceOptions | None) -> bool:
    """Return whether the component has a Kubernetes provider of its own, or depends on other resources."""
    if opts is None:
        return False
    if opts.depends_on or opts.provider or opts.providers:
        return True
    return opts.parent is not None and opts.parent.get_provider("kubernetes:core/v1:Namespace") is not None


def connected() -> Any:
    """Return a client for the cluster of the default provider; None without a usable kubeconfig.

    The provider's own search: `kubernetes:kubeconfig` (a path or the text), KUBECONFIG, ~/.kube/config.
    """
    config = pulumi.Config("kubernetes")
    given, context = config.get("kubeconfig") or "", config.get("context")
    if config.get("cluster") or config.get("renderYamlToDirectory"):
        return None
    place = given or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    text = given.lstrip()
    if not text.startswith(("{", "apiVersion")) and not any(map(os.path.isfile, place.split(os.pathsep))):
        return None
    try:
        # Only here: the import costs a second of CPU.
        import yaml  # noqa: PLC0415
        from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415
        from kubernetes.config import load_kube_config, load_kube_config_from_dict  # noqa: PLC0415

        access: Any = Configuration()
        if text.startswith(("{", "apiVersion")):
            load_kube_config_from_dict(yaml.safe_load(text), context=context, client_configuration=access)
        else:
            load_kube_config(config_file=place, context=context, client_configuration=access)
        access.retries = False
        return ApiClient(access)
    except Exception as error:  # noqa: BLE001 (a kubeconfig in any state; the provider reports it)
        pulumi.log.debug(f"namespaces are not checked: {' '.join(str(error).split())}")
        return None


def status(client: Any, namespace: str) -> int:
    """Return the HTTP status of a read of a namespace; 0 for an unreachable API server."""
    try:
        path = f"/api/v1/namespaces/{namespace}"
        request = client.param_serialize("GET", path, auth_settings=["BearerToken"])
        answer = client.call_api(*request, _request_timeout=_TIMEOUT_S)
        code, body = int(answer.status), answer.read() or b""
    except Exception as error:  # noqa: BLE001 (urllib3's many errors of a connection)
        pulumi.log.debug(f"namespaces are not checked: {' '.join(str(error).split())}")
        return 0
    if code == _DENIED:
        pulumi.log.warn(
            "the API server refused `get` of namespaces; not checked: whether the namespaces exist; allow it "
            "to the user of Pulumi's kubeconfig"
        )
    return code if kind(body) == "Status" else 0


def kind(body: Any) -> str:
    """Return the `kind` of an answer; a proxy in front of the API server answers without a kind."""
    try:
        return str(json.loads(body).get("kind", ""))
    except (ValueError, AttributeError):
        return ""
