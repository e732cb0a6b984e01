"""Run a Pulumi program inside its own interpreter, like the official pulumi-language-python-exec.

The language host starts this file by path with the program's interpreter. The file imports no module of this
project: the program must find the same modules as under the official host.
"""

import argparse
import asyncio
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

SHOWN = 32  # exit code for the host: the message is already displayed, add no further message (main.go)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a Pulumi program")
    for flag in ("project", "root_directory", "stack", "parallel", "dry_run", "pwd", "monitor", "engine"):
        parser.add_argument(f"--{flag}")
    parser.add_argument("--organization")
    parser.add_argument("PROGRAM")
    parser.add_argument("ARGS", nargs="*")
    return parser.parse_args()


def _module_path(path: str) -> str:
    return os.path.abspath(path if os.path.splitext(path)[1] else os.path.join(path, "__main__"))  # noqa: PTH100, PTH118, PTH122


def _users_traceback(error: BaseException, program: str) -> str:
    """Return the traceback from the program's first frame on; the whole traceback without such a frame."""
    frames = traceback.extract_tb(error.__traceback__)
    wanted = _module_path(program)
    for index, frame in enumerate(frames):
        if os.path.splitext(_module_path(frame.filename))[0] == os.path.splitext(wanted)[0]:  # noqa: PTH122
            return "".join(traceback.format_exception(error, limit=index - len(frames)))
    return "".join(traceback.format_exception(error))


def _missing(error: ImportError) -> bool:
    """Return whether runpy found no __main__ in the directory, rather than an import error of the program."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    return last in ("<frozen runpy>", runpy.__file__)


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def main() -> int:
    """Run the program in its stack; return the process's exit code."""
    try:
        import pulumi  # noqa: PLC0415 - a missing SDK has a separate message
        import pulumi.runtime  # noqa: PLC0415
    except ImportError as error:
        print(f"the Pulumi SDK is not installed in {sys.prefix}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    args = _arguments()
    runtime = pulumi.runtime
    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    parallel = int(args.parallel)
    runtime.configure(
        runtime.Settings(
            monitor=args.monitor,
            engine=args.engine,
            project=args.project,
            stack=args.stack,
            parallel=parallel,
            dry_run=args.dry_run == "true",
            organization=args.organization,
            root_directory=args.root_directory,
        )
    )
    sys.argv = [args.PROGRAM, *args.ARGS]
    if args.pwd is not None:
        os.chdir(args.pwd)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a failed program leaves futures unobserved
    program = os.path.abspath(args.PROGRAM)  # noqa: PTH100
    try:
        loop.run_until_complete(runtime.run_in_stack(lambda: _run(args.PROGRAM)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception as error:  # noqa: BLE001 - a program may raise anything
        if isinstance(error, ImportError) and _missing(error):
            pulumi.log.error(f"unable to find main python program `__main__.py` in `{program}`")
        else:
            shown = _users_traceback(error, program)
            pulumi.log.error(f"Program failed with an unhandled exception:\n{shown}")
        return SHOWN
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
