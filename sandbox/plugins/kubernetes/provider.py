"""The hooks of the offline Kubernetes provider (the official provider's are in provider/provider.go)."""

import functools
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar

from sandbox.plugins.difference import Difference, parse, without
from sandbox.plugins.kubernetes import annotations, managers, naming, replacement, shape, state
from sandbox.plugins.kubernetes.catalog import NoMatchError
from sandbox.plugins.kubernetes.connection import ApiError, ConfigError, Connection, load
from sandbox.plugins.kubernetes.objects import Objects, keep_live
from sandbox.plugins.kubernetes.settings import Settings
from sandbox.plugins.kubernetes.waiting import NotReadyError, Waiter
from sandbox.plugins.provider import Checked, InitFailed, Naming, Provider, ProviderError, Resource, State
from sandbox.plugins.values import PropertyMap, has_unknown, keep_secrets, reveal

P = ParamSpec("P")
R = TypeVar("R")


def _explained(hook: Callable[P, R]) -> Callable[P, R]:
    """Turn errors of the API server, complete, into the single message of the resource."""

    @functools.wraps(hook)
    def explained(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return hook(*args, **kwargs)
        except (ApiError, NoMatchError) as error:
            raise ProviderError(str(error)) from error
        except ConnectionError as error:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {error}") from error

    return explained


@dataclass(frozen=True, slots=True)
class _Wish:
    """A program's request: the plain object, the original inputs, and the field manager."""

    obj: dict[str, Any]
    given: PropertyMap
    manager: str

    def checkpoint(self, live: dict[str, Any]) -> PropertyMap:
        return state.checkpoint(live, self.obj, self.given, self.manager)


class Kubernetes(Provider):
    """Any kind of object, by discovery and validation of the API server."""

    name = "kubernetes"

    def __init__(self) -> None:
        super().__init__()
        self.version = version("pulumi-kubernetes")
        self._settings = Settings()
        self._objects: Objects | None = None
        self._unreachable = "the provider has not been configured"

    def configure(self, config: PropertyMap) -> None:
        """Read the kubeconfig; an unusable kubeconfig is an error of the first resource that needs it."""
        self._settings = Settings.parse(reveal(config))
        try:
            access = load(self._settings.kubeconfig, self._settings.context, self._settings.namespace)
        except (ConfigError, OSError, KeyError) as error:
            self._unreachable = str(error)
            return
        self._objects = Objects(Connection(access))

    @_explained
    def check(self, resource: Resource, news: PropertyMap, olds: PropertyMap, naming_: Naming) -> Checked:
        """Fill in name and namespace; the fields are validated by the API server."""
        _refuse_unsupported(resource)
        inputs = shape.without_server_metadata(_object(resource, news))
        if olds:
            naming.adopt(inputs, reveal(olds))
        else:
            naming.assign(inputs, resource.name, naming_)
        metadata = inputs["metadata"]
        if (
            isinstance(metadata, dict)
            and not metadata.get("namespace")
            and self._cluster().namespaced(inputs)
        ):
            metadata["namespace"] = self._cluster().connection.namespace
        return Checked(keep_secrets(inputs, news))

    @_explained
    def diff(self, resource: Resource, old: State, news: PropertyMap, ignored: Sequence[str]) -> Difference:
        """Compare the recorded live object, cut to the last inputs' fields, with the new inputs."""
        new = shape.normalised(_object(resource, news))
        live, last = state.recorded(old.outputs)
        cut = shape.pruned(live, shape.normalised(last or reveal(old.inputs)))
        if not self._cluster().namespaced(new):
            for each in (new, cut):
                if isinstance(each.get("metadata"), dict):
                    each["metadata"].pop("namespace", None)
        rules = replacement.force_new(
            new,
            mutable_secrets=self._settings.mutable_secrets,
            mutable_config_maps=self._settings.mutable_config_maps,
            patch=_is_patch(resource),
        )
        changes = without(shape.differences(cut, new), ignored)
        replaces = frozenset(path for path in changes if replacement.forces(path, rules))
        same_place = naming.identify(cut) == naming.identify(new)
        return Difference(
            changes=changes,
            replaces=replaces,
            delete_before_replace=bool(replaces) and not naming.is_autonamed(new) and same_place,
        )

    @_explained
    def create(self, resource: Resource, inputs: PropertyMap, *, preview: bool, timeout_s: float) -> State:
        """POST the object, then wait for readiness; a preview is a dry run without the wait."""
        obj = _object(resource, inputs)
        skipped = has_unknown(obj) or _is_patch(resource) or not self._cluster().served(obj)
        if preview and skipped:
            return State("", inputs)
        intent = _Wish(obj, inputs, f"pulumi-kubernetes-{secrets.token_hex(4)}")
        try:
            made = self._make(resource, intent, preview=preview)
        except ApiError as error:
            if preview and _unpreviewable(error):
                return State("", inputs)
            raise ProviderError(
                f"resource {naming.identify(obj)} was not successfully created by the Kubernetes API server: "
                f"{error}{_hint(error)}"
            ) from error
        except NoMatchError as error:
            raise ProviderError(
                f"creation of resource {naming.identify(obj)} failed because the Kubernetes API server "
                "reported that the apiVersion for this resource does not exist. "
                f"Verify that any required CRDs have been created: {error}"
            ) from error
        if preview:
            made.pop("status", None)
            return State("", intent.checkpoint(made))
        return State(naming.identify(made), self._ready(resource, intent, made, timeout_s=timeout_s))

    @_explained
    def read(self, resource: Resource, ident: str, old: State) -> State | None:
        """Return the live object and its inputs; drift is the difference from the last inputs."""
        _refuse_unsupported(resource)
        last = shape.normalised(reveal(old.inputs))
        known, manager = bool(last), str(old.outputs.get(state.MANAGER) or "pulumi-kubernetes")
        namespace, name = naming.split(ident)
        wanted = {**_object(resource, last), "metadata": {"namespace": namespace, "name": name}}
        try:
            live = self._cluster().get(wanted)
        except NoMatchError:
            return None
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        inputs = shape.pruned(live, last) if known else state.inputs_of(live)
        inputs = shape.without_server_metadata(inputs)
        outputs = state.checkpoint(live, inputs, old.inputs, manager)
        given = keep_secrets(inputs, old.inputs)
        if live["kind"] == "Secret":
            state.hide_content(given)
        if known:
            try:
                self._waiter(resource).check(live, last)
            except NotReadyError as failed:
                raise InitFailed(ident, outputs, failed.reasons, given) from failed
        return State(ident, outputs, given)

    @_explained
    def update(
        self,
        resource: Resource,
        old: State,
        news: PropertyMap,
        *,
        preview: bool,
        timeout_s: float,
        ignored: Sequence[str],
    ) -> PropertyMap:
        """Server-side apply under the manager of the creation, then wait for readiness."""
        obj = shape.without_server_metadata(_object(resource, news))
        if preview and (has_unknown(obj) or not self._cluster().served(obj)):
            return news
        intent = _Wish(obj, news, str(old.outputs.get(state.MANAGER) or "pulumi-kubernetes"))
        cluster = self._cluster()
        plain = preview or _is_patch(resource)  # a patch owns only the fields of the patch
        live = cluster.get(obj) if plain else cluster.take_over(obj, intent.manager)
        sent = keep_live(obj, live, [parse(path) for path in ignored])
        force = annotations.forces(obj) or managers.forced(live, preview=preview)
        try:
            made = cluster.apply(sent, intent.manager, force=force, dry_run=preview)
        except ApiError as error:
            if preview and error.status == HTTPStatus.FORBIDDEN:
                return news
            raise ProviderError(
                f"update of resource {naming.identify(obj)} failed at the Kubernetes API server: {error}"
            ) from error
        if preview:
            return intent.checkpoint(made)
        return self._ready(resource, intent, made, timeout_s=timeout_s)

    @_explained
    def delete(self, resource: Resource, old: State, *, timeout_s: float) -> None:
        """Delete the object and wait until it is gone; a missing object is a success.

        A patch gives up fields.
        """
        live, inputs = state.recorded(old.outputs)
        obj = _object(resource, live or inputs)
        obj["metadata"] = dict(zip(("namespace", "name"), naming.split(old.id), strict=True))
        if _is_patch(resource):
            self._cluster().relinquish(obj, str(old.outputs.get(state.MANAGER) or "pulumi-kubernetes"))
            return
        asked = {**inputs, "kind": obj["kind"]}
        uid = self._cluster().delete(obj, annotations.propagation(inputs))
        if uid is None:
            return
        try:
            self._waiter(resource).gone(self._cluster().path(obj), uid, asked, timeout_s)
        except NotReadyError as failed:
            raise ProviderError(f"{old.id}: {failed}") from failed

    def _make(self, resource: Resource, intent: "_Wish", *, preview: bool) -> dict[str, Any]:
        cluster, obj = self._cluster(), intent.obj
        if self._settings.upsert or _is_patch(resource):
            force = preview or annotations.forces(obj)
            return cluster.apply(obj, intent.manager, force=force, dry_run=preview)
        show = functools.partial(self.report.info, resource)
        return cluster.create(obj, dry_run=preview, show=show)

    def _ready(
        self, resource: Resource, intent: "_Wish", made: dict[str, Any], *, timeout_s: float
    ) -> PropertyMap:
        """Return the outputs of the ready object. Raises InitFailed, which keeps the object in the state."""
        path = self._cluster().path(made)
        try:
            return intent.checkpoint(self._waiter(resource).ready(path, intent.obj, timeout_s))
        except NotReadyError as failed:
            ident = naming.identify(made)
            summary = f"{ident} is in the cluster but did not become ready: {failed.reasons[0]}"
            outputs = intent.checkpoint(self._cluster().connection.get(path))
            raise InitFailed(ident, outputs, (summary, *failed.reasons[1:])) from failed

    def _waiter(self, resource: Resource) -> Waiter:
        show = functools.partial(self.report.info, resource)
        return Waiter(self._cluster().connection, self.cancelled, show)

    def _cluster(self) -> Objects:
        if self._objects is None:
            raise ConnectionError(self._unreachable)
        return self._objects


def _object(resource: Resource, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Kubernetes object of the properties, without secret wrappers.

    An absent version or kind is taken from the resource type.
    """
    obj: dict[str, Any] = {key: value for key, value in reveal(properties).items() if value is not None}
    package_module, _, kind = resource.type.rpartition(":")
    group_version = package_module.partition(":")[2].removeprefix("core/")
    obj.setdefault("apiVersion", group_version)
    obj.setdefault("kind", kind.removesuffix("Patch"))
    return obj


def _is_patch(resource: Resource) -> bool:
    """Return whether the resource manages some fields of an object and not its life cycle (kinds/util.go)."""
    return resource.type.endswith("Patch")


def _refuse_unsupported(resource: Resource) -> None:
    module, _, kind = resource.type.rpartition(":")
    if kind.endswith("List") or "helm.sh" in module or "yaml" in module or "kustomize" in module:
        raise ProviderError(
            f"{resource.type} is not supported by the offline Kubernetes provider: use the kinds themselves, "
            "or set SANDBOX_PLUGINS=official"
        )


def _unpreviewable(error: ApiError) -> bool:
    """Return whether a dry-run error is irrelevant: a new namespace, or a predecessor still there."""
    namespace_missing = error.status == HTTPStatus.NOT_FOUND and "namespaces" in str(error)
    return error.status == HTTPStatus.FORBIDDEN or error.reason == "AlreadyExists" or namespace_missing


def _hint(error: ApiError) -> str:
    if error.reason != "AlreadyExists":
        return ""
    return (
        ". Import it (`pulumi import`), use an alias if the resource was renamed, or set the provider option "
        "upsertExistingObjects to adopt it"
    )
