"""Find the API server and the credentials: KUBECONFIG, else the ServiceAccount, else ~/.kube/config."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kubernetes.client.configuration import Configuration
from kubernetes.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes.config.kube_config import KubeConfigMerger, load_kube_config

from syncer.errors import MisconfiguredError
from syncer.text.hosts import is_url
from syncer.text.quote import quoted
from syncer.text.redaction import know, know_userinfo
from syncer.text.regular_file import refuse_no_file

# The client's own default is KUBECONFIG at import time, even an empty KUBECONFIG.
_AT_HOME = "~/.kube/config"


def configuration(environment: Mapping[str, str]) -> Configuration:
    """Return the API server's configuration; MisconfiguredError without any source.

    In a Pod the token file is read again for each request: the kubelet rotates the token.
    """
    kubeconfig = environment.get("KUBECONFIG") or ""
    in_pod = not kubeconfig and bool(environment.get("KUBERNETES_SERVICE_HOST"))
    # Not pathlib: without HOME and a passwd entry of this UID, pathlib raises RuntimeError.
    if not (kubeconfig or in_pod or os.path.exists(os.path.expanduser(_AT_HOME))):  # noqa: PTH110, PTH111
        raise MisconfiguredError(
            "cluster configuration is missing; set KUBECONFIG, or run in a Pod with a ServiceAccount token"
        )
    config = Configuration()
    try:
        if in_pod:
            refuse_no_file(str(_mounted(environment, SERVICE_TOKEN_FILENAME)))
            _service_account(environment).load_and_set(config)
            hooked: Any = config
            hooked.refresh_api_key_hook = partial(_read_token, _mounted(environment, SERVICE_TOKEN_FILENAME))
        else:
            _check_files(kubeconfig or _AT_HOME)
            load_kube_config(config_file=kubeconfig or _AT_HOME, client_configuration=config)
    except MisconfiguredError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes of the client, mend the file
        if kubeconfig:
            raise MisconfiguredError(
                f"KUBECONFIG is {quoted(kubeconfig)} ({_one_line(error)}); allowed: the path of a kubeconfig"
            ) from None
        where = "the ServiceAccount" if in_pod else _AT_HOME
        raise MisconfiguredError(
            f"cannot load the cluster configuration of {where}: {_one_line(error)}"
        ) from None
    know(config.password, *(token.rpartition(" ")[2] for token in config.api_key.values()))
    know_userinfo(config.host)
    know_userinfo(config.proxy or "")
    if not is_url(config.host):
        where = (
            f"KUBECONFIG {quoted(kubeconfig)}" if kubeconfig else "the ServiceAccount" if in_pod else _AT_HOME
        )
        raise MisconfiguredError(
            f"{where} has API server {quoted(str(config.host))}; allowed: a URL such as https://HOST:6443"
        )
    if config.proxy and "://" not in config.proxy:
        config.proxy = f"http://{config.proxy}"  # as curl, Go and botocore do
    # The client's own retries would be immediate, three after a failure.
    config.retries = False
    return config


def _check_files(kubeconfig: str) -> None:
    """Check the files that the client reads whole: kubeconfigs and their token files."""
    for path in filter(None, kubeconfig.split(os.pathsep)):
        refuse_no_file(os.path.expanduser(path))  # noqa: PTH111 - see above
    merged = KubeConfigMerger(kubeconfig).config
    if merged is None:
        return
    _check_temporary(kubeconfig, merged.value)
    for each in merged.value["users"]:
        if token := (each.value.get("user") or {}).get("tokenFile"):
            refuse_no_file(os.path.join(os.path.dirname(each.path), token))  # noqa: PTH118, PTH120 - as the client


def _check_temporary(kubeconfig: str, merged: Mapping[str, Any]) -> None:
    """Check for a temporary directory: the client writes a kubeconfig's inline certificates to files."""
    of_clusters = [each.value.get("cluster") or {} for each in merged["clusters"]]
    of_users = [each.value.get("user") or {} for each in merged["users"]]
    if not any(name.endswith("-data") for entry in (*of_clusters, *of_users) for name in entry):
        return
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise MisconfiguredError(
            f"KUBECONFIG {quoted(kubeconfig)} has inline certificates, and no temporary directory is "
            "writable; set TMPDIR to a writable directory, or refer to the certificates' files"
        ) from None


def _service_account(environment: Mapping[str, str]) -> InClusterConfigLoader:
    """The Pod's mounted token and CA."""
    return InClusterConfigLoader(
        token_filename=str(_mounted(environment, SERVICE_TOKEN_FILENAME)),
        cert_filename=str(_mounted(environment, SERVICE_CERT_FILENAME)),
        environ=dict(environment),
    )


def _read_token(file: Path, config: Configuration) -> None:
    """Set the current token in `config`; keep the last token while the file cannot be read."""
    with contextlib.suppress(OSError):
        if token := file.read_text(encoding="ascii", errors="replace").strip():
            know(token)
            config.api_key["BearerToken"] = f"Bearer {token}"


def _mounted(environment: Mapping[str, str], path: str) -> Path:
    """Return the path of a file that the kubelet mounts.

    Without absolute mount paths (HostProcess containers) mounts are below CONTAINER_SANDBOX_MOUNT_POINT
    (Kubernetes' HostProcess documentation).
    """
    return Path(environment.get("CONTAINER_SANDBOX_MOUNT_POINT") or "/") / path.lstrip("/")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
