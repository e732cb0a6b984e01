"""What the image installs: the locked dependencies of the syncer, each with its hashes."""

import re
import tomllib

from sandbox.environment import ROOT

REQUIREMENTS = ROOT / "syncer/requirements.txt"
# Of kubernetes.aio, which the syncer does not use (uv export --prune).
PRUNED = {"aiohttp", "aiohttp-retry"}


def listed() -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by name."""
    lines = REQUIREMENTS.read_text().replace("\\\n", " ").splitlines()
    found = {}
    for line in lines:
        match = re.fullmatch(r"([a-z0-9-]+)==(\S+)((?: +--hash=sha256:[0-9a-f]{64})+)\s*", line)
        assert match, f"{line}; run: {FIX}"
        found[match[1]] = match[2], frozenset(re.findall(r"sha256:[0-9a-f]{64}", match[3]))
    return found


FIX = (
    "uv export --locked --no-dev --no-emit-project --prune aiohttp --prune aiohttp-retry "
    "--no-header --no-annotate --output-file syncer/requirements.txt"
)


def test_the_list_is_what_is_locked_for_the_syncer() -> None:
    locked = {each["name"]: each for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    wanted, waiting = {}, [each["name"] for each in locked["node-nlb-sync"]["dependencies"]]
    while waiting:
        name = waiting.pop()
        if name in wanted or name in PRUNED:
            continue
        package = locked[name]
        files = [*package.get("wheels", ()), package.get("sdist", {})]
        wanted[name] = package["version"], frozenset(each["hash"] for each in files if each)
        waiting += [each["name"] for each in package.get("dependencies", ()) if usable(each)]
    assert listed() == wanted, f"run: {FIX}"


def usable(dependency: dict[str, str]) -> bool:
    """Whether a dependency is one of CPython on Linux."""
    marker = dependency.get("marker", "")
    return not re.search(r"== 'win32'|PyPy|== 'darwin'|python_full_version < '3\.1[01]'", marker)
