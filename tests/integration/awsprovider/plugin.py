"""The provider as the engine meets it: a plugin process, spoken to by its gRPC protocol."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.plugins.protocol import grpc, provider_stubs, status_stubs
from sandbox.plugins.values import PropertyMap, decode, encode, reveal

_messages, _services = provider_stubs()


class Refused(Exception):  # noqa: N818
    """Check answered failures; the message holds every reason."""


class Failed(Exception):  # noqa: N818
    """An operation failed; `recorded` is the resource where the failure left one."""

    def __init__(self, message: str, recorded: "Made | None" = None) -> None:
        super().__init__(message)
        self.recorded = recorded


@dataclass(slots=True)
class Made:
    """A resource as the engine would record it."""

    token: str
    name: str
    id: str
    inputs: PropertyMap
    outputs: PropertyMap

    @property
    def plain(self) -> PropertyMap:
        revealed: PropertyMap = reveal(self.outputs)
        return revealed


@dataclass(slots=True)
class Change:
    """What Diff answered."""

    fields: list[str]
    replaces: list[str]
    delete_before_replace: bool
    paths: dict[str, str] = field(default_factory=dict)


class Plugin:
    """One started plugin with the engine's side of the protocol."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = _services.ResourceProviderStub(self._channel)

    def close(self) -> None:
        self._channel.close()

    def configure(self, config: Mapping[str, Any]) -> list[str]:
        """CheckConfig and, where it finds nothing wrong, Configure; the reasons why not."""
        urn = "urn:pulumi:t::p::pulumi:providers:aws::default_7_51_1"
        answer = self._stub.CheckConfig(_messages.CheckRequest(urn=urn, news=encode(config)))
        if answer.failures:
            return [failure.reason for failure in answer.failures]
        with _failing():
            self._stub.Configure(_messages.ConfigureRequest(args=answer.inputs, acceptSecrets=True))
        return []

    def check(
        self, token: str, inputs: PropertyMap, name: str = "web", olds: PropertyMap | None = None
    ) -> PropertyMap:
        request = _messages.CheckRequest(
            **_who(token, name),
            news=encode(inputs),
            olds=encode(olds or {}),
            randomSeed=b"seed" + name.encode(),
        )
        with _failing():
            answer = self._stub.Check(request)
        if answer.failures:
            raise Refused("\n".join(failure.reason for failure in answer.failures))
        return decode(answer.inputs)

    def preview(self, token: str, inputs: PropertyMap, name: str = "web") -> PropertyMap:
        checked = self.check(token, inputs, name)
        request = _messages.CreateRequest(**_who(token, name), properties=encode(checked), preview=True)
        with _failing():
            return decode(self._stub.Create(request).properties)

    def create(self, token: str, inputs: PropertyMap, name: str = "web") -> Made:
        checked = self.check(token, inputs, name)
        request = _messages.CreateRequest(**_who(token, name), properties=encode(checked))
        with _failing(token, name, checked):
            answer = self._stub.Create(request)
        return Made(token, name, answer.id, checked, decode(answer.properties))

    def diff(
        self, made: Made, inputs: PropertyMap, ignored: Sequence[str] = (), *, checked: bool = False
    ) -> Change:
        news = inputs if checked else self.check(made.token, inputs, made.name, made.inputs)
        request = _messages.DiffRequest(
            **_who(made.token, made.name),
            id=made.id,
            olds=encode(made.outputs),
            old_inputs=encode(made.inputs),
            news=encode(news),
            ignoreChanges=ignored,
        )
        with _failing():
            answer = self._stub.Diff(request)
        kinds = _messages.PropertyDiff.Kind
        paths = {path: kinds.Name(each.kind) for path, each in answer.detailedDiff.items()}
        return Change(list(answer.diffs), list(answer.replaces), answer.deleteBeforeReplace, paths)

    def update(self, made: Made, inputs: PropertyMap, *, preview: bool = False) -> Made:
        checked = self.check(made.token, inputs, made.name, made.inputs)
        request = _messages.UpdateRequest(
            **_who(made.token, made.name),
            id=made.id,
            olds=encode(made.outputs),
            old_inputs=encode(made.inputs),
            news=encode(checked),
            preview=preview,
        )
        with _failing(made.token, made.name, checked):
            answer = self._stub.Update(request)
        return Made(made.token, made.name, made.id, checked, decode(answer.properties))

    def read(self, made: Made) -> Made | None:
        request = _messages.ReadRequest(
            **_who(made.token, made.name),
            id=made.id,
            properties=encode(made.outputs),
            inputs=encode(made.inputs),
        )
        with _failing():
            answer = self._stub.Read(request)
        if not answer.id:
            return None
        return Made(made.token, made.name, answer.id, decode(answer.inputs), decode(answer.properties))

    def delete(self, made: Made) -> None:
        request = _messages.DeleteRequest(
            **_who(made.token, made.name),
            id=made.id,
            properties=encode(made.outputs),
            old_inputs=encode(made.inputs),
        )
        with _failing():
            self._stub.Delete(request)

    def invoke(self, token: str, args: PropertyMap) -> PropertyMap:
        with _failing():
            answer = self._stub.Invoke(_messages.InvokeRequest(tok=token, args=encode(args)))
        if answer.failures:
            raise Refused("\n".join(failure.reason for failure in answer.failures))
        return decode(getattr(answer, "return"))


@contextmanager
def started() -> Iterator[Plugin]:
    """A plugin process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.plugins.aws"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        plugin = Plugin(f"127.0.0.1:{int(process.stdout.readline())}")
        yield plugin
        plugin.close()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _who(token: str, name: str) -> dict[str, str]:
    return {"urn": f"urn:pulumi:t::p::{token}::{name}", "name": name, "type": token}


@contextmanager
def _failing(token: str = "", name: str = "", inputs: PropertyMap | None = None) -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise Failed(error.details(), _recorded(error, token, name, inputs or {})) from None


def _recorded(error: Any, token: str, name: str, inputs: PropertyMap) -> Made | None:
    raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if raw is None:
        return None
    detail = _messages.ErrorResourceInitFailed()
    status_stubs().Status.FromString(raw).details[0].Unpack(detail)
    return Made(token, name, detail.id, inputs, decode(detail.properties))
