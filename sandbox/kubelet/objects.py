"""The Secrets and ConfigMaps of a Pod, from the API server."""

from dataclasses import dataclass, field
from typing import Final

from sandbox.cluster.rest import ApiError
from sandbox.kubelet import environment
from sandbox.kubelet.environment import ConfigError, Objects, Reference
from sandbox.nodes.kube import Kube

_NOT_FOUND: Final = 404


@dataclass(slots=True)
class Reader:
    """Reads the objects of a namespace, and caches the last data of each object."""

    kube: Kube
    namespace: str
    _known: dict[Reference, dict[str, bytes]] = field(default_factory=dict)

    async def read(self, references: set[Reference]) -> Objects:
        """Return the data of all objects; None for a missing object."""
        return {one: await self._data(*one) for one in references}

    async def _data(self, kind: str, name: str) -> dict[str, bytes] | None:
        """Return the data of a Secret or ConfigMap; the cached data if the API server does not answer.

        Raises ConfigError without cached data: the container start is retried, as by a kubelet.
        """
        try:
            found = await self.kube.get(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}")
            data = environment.decoded(kind, found)
        except Exception as error:
            if isinstance(error, ApiError) and error.status == _NOT_FOUND:
                self._known.pop((kind, name), None)
                return None
            if (kind, name) not in self._known:
                raise ConfigError(str(error) or type(error).__name__) from error
        else:
            self._known[kind, name] = data
        return self._known[kind, name]
