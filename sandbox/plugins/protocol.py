"""The plugin protocol's message classes, taken from the installed Pulumi SDK without importing the SDK.

`import pulumi.runtime.proto` runs the whole SDK first (0.5 s of CPU); a provider needs only the messages, and
a `pulumi up` starts every provider twice. The generated files have relative imports, so they can be loaded
under a package name of this project.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGE = "sandbox.plugins._stubs"


def _stub(name: str) -> Any:
    """Return the generated module `name` of `pulumi.runtime.proto`, which has no types for mypy."""
    if _PACKAGE not in sys.modules:
        spec = importlib.util.find_spec("pulumi")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("the Pulumi SDK is not installed: run `uv sync --locked`")
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(Path(spec.origin).parent / "runtime" / "proto")]
        sys.modules[_PACKAGE] = package
    return importlib.import_module(f"{_PACKAGE}.{name}")


grpc: Any = importlib.import_module("grpc")
struct_pb2: Any = importlib.import_module("google.protobuf.struct_pb2")
empty_pb2: Any = importlib.import_module("google.protobuf.empty_pb2")
plugin_pb2: Any = _stub("plugin_pb2")


def provider_stubs() -> tuple[Any, Any]:
    """Return messages and service of `ResourceProvider`."""
    return _stub("provider_pb2"), _stub("provider_pb2_grpc")


def language_stubs() -> tuple[Any, Any]:
    """Return messages and service of `LanguageRuntime`."""
    return _stub("language_pb2"), _stub("language_pb2_grpc")


def engine_stubs() -> tuple[Any, Any]:
    """Return messages and service of `Engine`, for a plugin's log."""
    return _stub("engine_pb2"), _stub("engine_pb2_grpc")


def status_stubs() -> Any:
    """Return `google.rpc.Status`, for the details of an error."""
    return _stub("status_pb2")
