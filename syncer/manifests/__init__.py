"""The syncer's Kubernetes objects, as plain dicts in the API's own spelling, without any SDK.

The Pulumi component, `nlb-sync manifests` and the Helm chart use these objects. Values are placed and never
formatted, so that a value may be a Pulumi Output or an expression of a template.
"""

from typing import Any

Manifest = dict[str, Any]


def present(**fields: Any) -> Manifest:
    """Return the fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}
