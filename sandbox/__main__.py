"""The `sandbox` command: a cloud and a cluster on this machine, and the actions on them."""

import asyncio
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from sandbox import show
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.progress import Progress
from sandbox.toolchain import ToolchainError

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # as in a shell
_INTERRUPTED = 130  # 128 + SIGINT, as in a shell
ROOT = Path(__file__).resolve().parent.parent


class _Command(click.Group):
    """Turns errors into one line for users; `--debug` shows the traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; exit code 1 for an error, 130 for Ctrl-C."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("\ninterrupted; `make up` continues from here, `make down` stops everything", err=True)
            ctx.exit(_INTERRUPTED)
        except Exception as error:  # noqa: BLE001  (users get one line instead of a traceback)
            if "--debug" in sys.argv[1:2]:
                traceback.print_exc()
            known = isinstance(error, (SandboxError, ToolchainError))
            hint = "" if known else f" ({type(error).__name__}; `sandbox --debug …` shows the traceback)"
            click.echo(f"error: {error}{hint}", err=True)
            ctx.exit(1)


@click.group(cls=_Command)
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
def main() -> None:
    """Try node-nlb-sync on one machine, with no cloud account."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: ends started steps in order


@main.command()
def up() -> None:
    """Start everything and run `pulumi up`; goes on from wherever an earlier run stopped."""
    from sandbox.up import up as bring_up  # noqa: PLC0415  (not needed by other commands)

    status = bring_up(ROOT, Progress())
    click.echo(f"\n{show.summary(status)}\n\n{show.next_steps(status, show.command_name())}")


@main.command()
@click.option("--force", is_flag=True, help="Stop everything even when `pulumi destroy` fails.")
def down(force: bool) -> None:
    """Run `pulumi destroy`, then stop everything and leave nothing behind."""
    from sandbox.down import down as take_down  # noqa: PLC0415

    take_down(ROOT, Progress(), force=force)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Show addresses, groups with their targets, nodes and the syncer."""
    from sandbox.stack import outputs  # noqa: PLC0415
    from sandbox.status import observe  # noqa: PLC0415

    layout = Layout.default(ROOT)
    found = observe(layout, outputs(layout))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        click.echo(show.details(found))


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(command: tuple[str, ...]) -> None:
    """Open a shell (or run COMMAND) in which `pulumi`, `kubectl` and `sandbox` mean this sandbox.

    One word in quotes is a command line, as for `bash -c`; several words are a program and its arguments.
    """
    from sandbox.stack import Stack  # noqa: PLC0415
    from sandbox.toolchain import ensure  # noqa: PLC0415

    layout = _present()
    environment = Stack(root=ROOT, layout=layout, pulumi=ensure()["pulumi"]).environment()
    words = list(command)
    if not words:
        click.echo(
            "pulumi, kubectl and sandbox use this sandbox and stack dev; `exit` ends the shell", err=True
        )
        words = [os.environ.get("SHELL") or "/bin/sh"]
    elif len(words) == 1:  # a whole command line in quotes
        words = [shutil.which("bash", path=environment["PATH"]) or "/bin/sh", "-c", *words]
    os.chdir(ROOT)
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606
    except OSError as error:
        click.echo(f"error: cannot run the command: {words[0]} ({error.strerror}); check its name", err=True)
        sys.exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("question", nargs=-1, type=click.UNPROCESSED, required=True)
def ask(question: tuple[str, ...]) -> None:
    """Ask the syncer in its own Pod, as `kubectl exec` does in a cluster: `sandbox ask explain node-3`."""
    from sandbox.kubelet.spawn import running  # noqa: PLC0415

    for command in running(_present()):
        os.chdir(command.directory)
        syncer = [*command.inside, "nlb-sync"] if command.inside else [sys.executable, "-m", "syncer"]
        words = [*syncer, *question]
        os.execve(words[0], words, dict(command.env))  # noqa: S606
    raise SandboxError("no running Pod of the syncer; run `sandbox status`")


@main.group()
def node() -> None:
    """Add, drain, kill and replace nodes."""


@node.command("add")
@click.argument("count", type=click.IntRange(1, 100), default=1)
@click.option("--critical", is_flag=True, help="Nodes of the group for the syncer's Pods.")
def node_add(count: int, critical: bool) -> None:
    """Add COUNT nodes."""
    for name in _lifecycle().add(_running(), count, critical=critical):
        click.echo(name)


@node.command("drain")
@click.argument("name")
@click.option(
    "--as",
    "as_",
    type=click.Choice(["autoscaler", "karpenter", "spot", "eks", "cordon"]),
    default="autoscaler",
    show_default=True,
    help="The tool whose drain sequence is used.",
)
@click.option("--pause", type=click.FloatRange(0, 3600), default=10.0, show_default=True, help="Seconds.")
def node_drain(name: str, as_: str, pause: float) -> None:
    """Take node NAME away the way a cluster does."""
    _lifecycle().drain(_running(), name, as_=as_, pause_s=pause, progress=click.echo)


@node.command("kill")
@click.argument("name")
def node_kill(name: str) -> None:
    """Let node NAME crash: it answers nothing any more, and nobody is told."""
    _lifecycle().kill(_running(), name)


@node.command("revive")
@click.argument("name")
def node_revive(name: str) -> None:
    """Switch a killed node on again."""
    _lifecycle().revive(_running(), name)


@node.command("replace")
@click.argument("name")
def node_replace(name: str) -> None:
    """Add a node, then drain NAME."""
    _lifecycle().replace(_running(), name, progress=click.echo)


@main.command("health-checks")
@click.argument("switch", type=click.Choice(["on", "off"]))
def health_checks(switch: str) -> None:
    """Switch the load balancer's health checks off (AWS has no such switch) to see what they are good for."""
    flag = _running().run / "health-checks.off"
    flag.touch() if switch == "off" else flag.unlink(missing_ok=True)


@main.command()
@click.option("--rate", type=click.FloatRange(0.1, 200), default=20.0, show_default=True, help="A second.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=10.0, show_default=True)
def traffic(rate: float, seconds: float) -> None:
    """Open new connections to each static IP and count what fails; exit code 1 when any did."""
    from sandbox.stack import outputs  # noqa: PLC0415
    from sandbox.status import observe  # noqa: PLC0415
    from sandbox.traffic import Record, send  # noqa: PLC0415

    layout = _running()
    entries = observe(layout, outputs(layout)).entries
    addresses = [place for name, place in entries.items() if name.endswith("/http")]
    record = Record()
    asyncio.run(send(addresses, rate=rate, seconds=seconds, record=record, stop=asyncio.Event()))
    for address in addresses:
        served = ", ".join(f"{name} {count}" for name, count in sorted(record.served_by(address).items()))
        click.echo(f"{address}: {record.count(address)} connections, {served}")
    for failure in record.failures:
        click.echo(f"{failure.address}: {failure.error}", err=True)
    sys.exit(1 if record.failures else 0)


def _present() -> Layout:
    """Return the layout of an existing sandbox."""
    layout = Layout.default(ROOT)
    if not layout.present:
        raise SandboxError(show.NOTHING_UP)
    return layout


def _running() -> Layout:
    """Return the layout of a complete, running sandbox."""
    from sandbox.status import missing  # noqa: PLC0415

    layout = _present()
    dead = missing(layout)
    if dead:
        raise SandboxError(show.not_running(dead))
    return layout


def _lifecycle() -> Any:
    from sandbox.nodes import lifecycle  # noqa: PLC0415

    return lifecycle


if __name__ == "__main__":
    main()
