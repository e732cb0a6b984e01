"""Serve a `Provider` as a plugin process: gRPC on a loopback port, printed as the first line of stdout."""

# ruff: noqa: D102, N802 - methods of the service are named and documented by the protocol

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sandbox.plugins.difference import Difference, show
from sandbox.plugins.protocol import empty_pb2, engine_stubs, grpc, plugin_pb2, provider_stubs, status_stubs
from sandbox.plugins.provider import (
    Checked,
    Failure,
    InitFailed,
    Naming,
    Provider,
    ProviderError,
    Reporter,
    Resource,
    State,
)
from sandbox.plugins.values import decode, encode

_messages, _services = provider_stubs()
_Servicer: Any = _services.ResourceProviderServicer
_MAX_MESSAGE: Final = 400 * 1024 * 1024  # the engine's limit (rpcutil.GrpcChannelOptions)
_WORKERS: Final = 64  # every resource occupies a thread; the engine runs at most 16 operations by default
_MODES: Final = ("propose", "enforce", "disable")


class EngineReporter(Reporter):
    """Log through the engine, below the resource of the message."""

    def __init__(self, address: str) -> None:
        self._messages, services = engine_stubs()
        self._engine = services.EngineStub(grpc.insecure_channel(address))

    def info(self, resource: Resource, message: str) -> None:
        """Show a passing status beside the resource."""
        self._log(self._messages.INFO, resource, message, ephemeral=True)

    def warn(self, resource: Resource, message: str) -> None:
        """Print a warning that stays in the output."""
        self._log(self._messages.WARNING, resource, message, ephemeral=False)

    def _log(self, severity: int, resource: Resource, message: str, *, ephemeral: bool) -> None:
        request = self._messages.LogRequest(
            severity=severity, message=message, urn=resource.urn, ephemeral=ephemeral
        )
        with contextlib.suppress(grpc.RpcError):  # a lost status message must not fail the resource
            self._engine.Log(request, timeout=5)


class ProviderService(_Servicer):  # type: ignore[misc] # generated, untyped
    """Translate every request of the engine into a hook of the provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def Handshake(self, request: Any, _context: Any) -> Any:
        self._attach(request.engine_address)
        return _messages.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, _context: Any) -> Any:
        self._attach(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, _request: Any, _context: Any) -> Any:
        return _messages.GetSchemaResponse(schema=json.dumps(self._provider.schema()))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        with _errors(context):
            olds, news = decode(request.olds), decode(request.news)
            return _check_response(self._provider.check_config(_resource(request), news, olds))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        with _errors(context):
            olds, news = decode(request.old_inputs), decode(request.news)
            return _diff_response(self._provider.diff_config(_resource(request), olds, news))

    def Configure(self, request: Any, context: Any) -> Any:
        with _errors(context):
            self._provider.configure(decode(request.args))
        return _messages.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Check(self, request: Any, context: Any) -> Any:
        naming = Naming(seed=request.randomSeed)
        if request.HasField("autonaming"):
            named = request.autonaming
            naming = Naming(seed=request.randomSeed, proposed=named.proposed_name, mode=_MODES[named.mode])
        with _errors(context):
            olds, news = decode(request.olds), decode(request.news)
            return _check_response(self._provider.check(_resource(request), news, olds, naming))

    def Diff(self, request: Any, context: Any) -> Any:
        old = _old(request, request.olds)
        with _errors(context):
            news = decode(request.news)
            return _diff_response(
                self._provider.diff(_resource(request), old, news, list(request.ignoreChanges))
            )

    def Create(self, request: Any, context: Any) -> Any:
        with _errors(context):
            made = self._provider.create(
                _resource(request),
                decode(request.properties),
                preview=request.preview,
                timeout_s=request.timeout,
            )
            return _messages.CreateResponse(id=made.id, properties=encode(made.outputs))

    def Read(self, request: Any, context: Any) -> Any:
        old = State(request.id, decode(request.properties), decode(request.inputs))
        with _errors(context):
            found = self._provider.read(_resource(request), request.id, old)
            if found is None:
                return _messages.ReadResponse()
            return _messages.ReadResponse(
                id=found.id, properties=encode(found.outputs), inputs=encode(found.inputs)
            )

    def Update(self, request: Any, context: Any) -> Any:
        with _errors(context):
            outputs = self._provider.update(
                _resource(request),
                _old(request, request.olds),
                decode(request.news),
                preview=request.preview,
                timeout_s=request.timeout,
                ignored=list(request.ignoreChanges),
            )
            return _messages.UpdateResponse(properties=encode(outputs))

    def Delete(self, request: Any, context: Any) -> Any:
        with _errors(context):
            old = _old(request, request.properties)
            self._provider.delete(_resource(request), old, timeout_s=request.timeout)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        with _errors(context):
            answer = self._provider.invoke(request.tok, decode(request.args))
            failures = [_failure(each) for each in answer.failures]
            return _messages.InvokeResponse(**{"return": encode(answer.result)}, failures=failures)

    def Cancel(self, _request: Any, _context: Any) -> Any:
        self._provider.cancelled.set()
        return empty_pb2.Empty()

    def _attach(self, address: str) -> None:
        if address:
            self._provider.report = EngineReporter(address)


def serve(make: Callable[[], Provider], argv: list[str] | None = None) -> None:
    """Run the plugin until the engine ends the plugin or is gone; `argv[1]`: the engine's address, if given.

    `make` runs before the port is printed, so an error in `make` is the plugin's start-up error.
    """
    arguments = sys.argv if argv is None else argv
    provider = make()
    if len(arguments) > 1 and not arguments[1].startswith("-"):
        provider.report = EngineReporter(arguments[1])
    server = loopback_server(_WORKERS)
    _services.add_ResourceProviderServicer_to_server(ProviderService(provider), server)
    run_until_orphaned(server)


def loopback_server(workers: int) -> Any:
    """Return a gRPC server with the engine's message sizes."""
    options = [
        ("grpc.max_send_message_length", _MAX_MESSAGE),
        ("grpc.max_receive_message_length", _MAX_MESSAGE),
    ]
    return grpc.server(ThreadPoolExecutor(workers), options=options)


def run_until_orphaned(server: Any, leave: Callable[[], None] = lambda: None) -> None:
    """Start `server`, print the port for the engine; exit on a signal or when orphaned."""
    parent = os.getppid()
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    print(port, flush=True)  # noqa: T201 - the protocol: the first line of stdout is the port
    while not told.wait(1.0):
        if os.getppid() != parent:
            break
    leave()
    sys.stdout.flush()
    os._exit(0)  # threads waiting for a resource would delay an orderly shutdown


def _resource(request: Any) -> Resource:
    """Return the resource; engines before 3.130 send name and type only in the tail of the URN."""
    head, _, tail = request.urn.rpartition("::")
    return Resource(
        request.urn, request.type or head.rpartition("::")[2].rpartition("$")[2], request.name or tail
    )


def _old(request: Any, outputs: Any) -> State:
    return State(request.id, decode(outputs), decode(request.old_inputs))


def _failure(failure: Failure) -> Any:
    return _messages.CheckFailure(property=failure.property, reason=failure.reason)


def _check_response(checked: Checked) -> Any:
    failures = [_failure(each) for each in checked.failures]
    return _messages.CheckResponse(inputs=encode(checked.inputs), failures=failures)


def _diff_response(difference: Difference) -> Any:
    kinds = {
        show(path): _messages.PropertyDiff(kind=change.value + (path in difference.replaces), inputDiff=True)
        for path, change in difference.changes.items()
    }
    some = _messages.DiffResponse.DIFF_SOME if kinds else _messages.DiffResponse.DIFF_NONE
    return _messages.DiffResponse(
        changes=some,
        diffs=difference.fields,
        replaces=difference.replaced_fields,
        deleteBeforeReplace=difference.delete_before_replace,
        stables=list(difference.stables),
        detailedDiff=kinds,
        hasDetailedDiff=True,
    )


@contextlib.contextmanager
def _errors(context: Any) -> Iterator[None]:
    """Turn an exception into a single message for the engine, never a Python traceback.

    The traceback of an unexpected error goes to stderr, displayed by the engine only with `--debug` (-d).
    """
    try:
        yield
    except InitFailed as failed:
        _abort_with_state(context, failed)
    except ProviderError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except NotImplementedError:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the offline provider does not support this")
    except Exception as error:  # noqa: BLE001 - the last line of defence of a plugin process
        sys.excepthook(type(error), error, error.__traceback__)
        context.abort(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")


def _abort_with_state(context: Any, failed: InitFailed) -> None:
    detail = _messages.ErrorResourceInitFailed(
        id=failed.id, properties=encode(failed.outputs), reasons=list(failed.reasons)
    )
    if failed.inputs is not None:
        detail.inputs.CopyFrom(encode(failed.inputs))
    status = status_stubs().Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failed))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(failed))
