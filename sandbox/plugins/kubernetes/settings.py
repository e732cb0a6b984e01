"""The provider's configuration: stack config, an explicit provider's arguments, the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The supported options; every other key of the official provider is accepted without effect."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    mutable_secrets: bool = False
    mutable_config_maps: bool = False
    upsert: bool = False

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> "Settings":
        """Parse: argument first, then the official provider's environment variable, then ~/.kube/config."""
        default = str(Path.home() / ".kube" / "config")
        return cls(
            kubeconfig=_text(config, "kubeconfig") or os.environ.get("KUBECONFIG") or default,
            context=_text(config, "context"),
            namespace=_text(config, "namespace"),
            mutable_secrets=_flag(config, "enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
            mutable_config_maps=_flag(config, "enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
            upsert=_flag(config, "upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
        )


def _text(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    return value if isinstance(value, str) else ""  # unknown in a preview: treated as absent


def _flag(config: Mapping[str, Any], key: str, variable: str) -> bool:
    value = config.get(key)
    if value is None:
        value = os.environ.get(f"PULUMI_K8S_{variable}", "")
    return value is True or str(value).lower() == "true"
