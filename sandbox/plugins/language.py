"""The offline `pulumi-language-python`: run the program of a stack and list the required plugins."""

# ruff: noqa: D102, N802 - methods of the service are named and documented by the protocol

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sandbox.plugins.interpreter import Interpreter, OptionError, plugins, resolve
from sandbox.plugins.program import SHOWN
from sandbox.plugins.protocol import empty_pb2, grpc, language_stubs, plugin_pb2
from sandbox.plugins.service import loopback_server, run_until_orphaned
from sandbox.plugins.values import decode

_messages, _services = language_stubs()
_Servicer: Any = _services.LanguageRuntimeServicer
_PROGRAM: Final = Path(__file__).with_name("program.py")
_WORKERS: Final = 8


class LanguageService(_Servicer):  # type: ignore[misc] # generated, untyped
    """Answer the engine like the official Python language host (reference: its main.go)."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: subprocess.Popen[bytes] | None = None

    def Handshake(self, request: Any, _context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return _messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        with _errors(context):
            needed = plugins(_interpreter(request).packages())
            packages = [
                plugin_pb2.PackageDependency(
                    name=each.name, version=each.version, server=each.server, kind="resource"
                )
                for each in needed
            ]
            return _messages.GetRequiredPackagesResponse(packages=packages)

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        with _errors(context):
            needed = plugins(_interpreter(request).packages())
            dependencies = [
                plugin_pb2.PluginDependency(
                    name=each.name, version=each.version, server=each.server, kind="resource"
                )
                for each in needed
            ]
            return _messages.GetRequiredPluginsResponse(plugins=dependencies)

    def Run(self, request: Any, context: Any) -> Any:
        with _errors(context):
            interpreter = _interpreter(request)
            if interpreter.typechecker:
                _typecheck(interpreter, Path(request.info.program_directory))
            return self._run(request, interpreter)

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        with _errors(context):
            interpreter = _interpreter(request)
            yield _messages.InstallDependenciesResponse(stdout=b"Installing dependencies...\n\n")
            command = _install_command(interpreter)
            directory = request.info.program_directory or request.directory
            with subprocess.Popen(
                command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as installing:
                for line in installing.stdout or ():
                    yield _messages.InstallDependenciesResponse(stdout=line)
            if installing.returncode:
                raise OptionError(f"`{' '.join(command)}` failed with exit code {installing.returncode}")
            yield _messages.InstallDependenciesResponse(stdout=b"Finished installing dependencies\n\n")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a plugin written as a Python program, such as plugin/; the first line of output is the port."""
        with _errors(context):
            interpreter = _interpreter(request)
            directory = request.info.program_directory or request.program
            environ = interpreter.environ() | dict(each.split("=", 1) for each in request.env)
            with subprocess.Popen(
                [interpreter.executable, "-u", directory, *request.args],
                cwd=request.pwd or directory,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as running:
                context.add_callback(running.terminate)  # the engine ends a plugin by ending the call
                for name, text in _outputs(running):
                    yield _messages.RunPluginResponse(**{name: text})
            yield _messages.RunPluginResponse(exitcode=running.returncode)

    def RuntimeOptionsPrompts(self, _request: Any, _context: Any) -> Any:
        return _messages.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:
        with _errors(context):
            executable = _interpreter(request).executable
            asked = "import platform; print(platform.python_version())"
            number = subprocess.check_output([executable, "-c", asked], text=True).strip()
            return _messages.AboutResponse(executable=executable, version=number)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        with _errors(context):
            installed = [
                _messages.DependencyInfo(name=each.name.replace("_", "-"), version=each.version)
                for each in _interpreter(request).packages()
            ]
            return _messages.GetProgramDependenciesResponse(dependencies=installed)

    def Cancel(self, _request: Any, _context: Any) -> Any:
        self.stop()
        return empty_pb2.Empty()

    def stop(self) -> None:
        """End a running program."""
        if self._running is not None:
            self._running.terminate()

    def _run(self, request: Any, interpreter: Interpreter) -> Any:
        environ = interpreter.environ() | {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        # -u: output at once. -P: the directory of this file stays off sys.path; otherwise its modules
        # (values, service ...) would be importable, but only under this host.
        command = [interpreter.executable, "-u", "-P", str(_PROGRAM), *self._flags(request)]
        self._running = subprocess.Popen(command, env=environ)
        code = self._running.wait()
        if code == SHOWN:
            return _messages.RunResponse(bail=True)
        error = f"program exited with non-zero exit code: {code}" if code else ""
        return _messages.RunResponse(error=error)

    def _flags(self, request: Any) -> list[str]:
        flags = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "root_directory": request.info.root_directory,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
        }
        given = [word for flag, value in flags.items() if value for word in (f"--{flag}", value)]
        return [*given, request.info.entry_point or request.program or ".", *request.args]


def _outputs(running: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bytes]]:
    """Yield a process's output at once, with the name of the stream; ends with both streams."""
    with selectors.DefaultSelector() as selector:
        for name in ("stdout", "stderr"):
            selector.register(getattr(running, name), selectors.EVENT_READ, name)
        while selector.get_map():
            for ready, _ in selector.select():
                text = os.read(ready.fd, 1 << 16)
                if text:
                    yield ready.data, text
                else:
                    selector.unregister(ready.fileobj)


def main() -> None:
    """Serve until the engine ends this process; the last argument is the engine's address."""
    service = LanguageService(sys.argv[-1] if len(sys.argv) > 1 else "")
    server = loopback_server(_WORKERS)
    _services.add_LanguageRuntimeServicer_to_server(service, server)
    run_until_orphaned(server, service.stop)


def _interpreter(request: Any) -> Interpreter:
    info = request.info
    program = Path(info.program_directory or getattr(request, "pwd", "") or ".")
    return resolve(Path(info.root_directory or program), program, decode(info.options))


def _install_command(interpreter: Interpreter) -> list[str]:
    if interpreter.toolchain == "uv":
        if shutil.which("uv") is None:
            raise OptionError("no `uv` on PATH: install it (https://docs.astral.sh/uv) or set toolchain: pip")
        return ["uv", "sync"]
    return [interpreter.executable, "-m", "pip", "install", "-r", "requirements.txt"]


def _typecheck(interpreter: Interpreter, program: Path) -> None:
    """Run the typechecker of `runtime.options.typechecker` over the program; the user gets the output."""
    command = [interpreter.executable, "-m", interpreter.typechecker, str(program)]
    done = subprocess.run(command, env=interpreter.environ(), cwd=program, check=False)
    if done.returncode:
        raise OptionError(f"{interpreter.typechecker} failed: exit status {done.returncode}")


@contextlib.contextmanager
def _errors(context: Any) -> Iterator[None]:
    try:
        yield
    except OptionError as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


if __name__ == "__main__":
    main()
