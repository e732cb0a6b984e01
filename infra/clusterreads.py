"""Reads of the cluster that check a configuration before a resource is registered."""

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pulumi

_TIMEOUT_S: Final = (3.0, 5.0)  # to connect, to read: a preview must not wait for an unreachable cluster


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
        pulumi.log.debug(f"the cluster is not checked: {' '.join(str(error).split())}")
        return None


def get(client: Any, path: str, what: str, check: str) -> tuple[int, dict[str, Any]]:
    """Return HTTP status and object of a read; status 0 and no fields without an answer of an API server.

    `what` is the verb with the objects, and `check` what stays unchecked, in the warning of a denied read.
    """
    try:
        request = client.param_serialize("GET", path, auth_settings=["BearerToken"])
        answer = client.call_api(*request, _request_timeout=_TIMEOUT_S)
        code, body = int(answer.status), json.loads(answer.read() or b"")
    except Exception as error:  # noqa: BLE001 (urllib3's many errors of a connection, and a proxy's answer)
        pulumi.log.debug(f"not checked: {check}: {' '.join(str(error).split())}")
        return 0, {}
    if code == HTTPStatus.FORBIDDEN:
        pulumi.log.warn(
            f"the API server refused {what}; not checked: {check}; allow it to the user of Pulumi's "
            "kubeconfig"
        )
    # A proxy in front of the API server answers without a kind.
    return (code, body) if isinstance(body, dict) and body.get("kind") else (0, {})
