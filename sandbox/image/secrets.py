"""Variables and certificates of this machine for a build's access to a package index."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from sandbox.environment import PreparationError

_PASSED_ON: Final = re.compile(
    r"PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|DEFAULT_TIMEOUT|RETRIES)"
    r"|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_[A-Z0-9_]+_(USERNAME|PASSWORD)"
    r"|HTTP_TIMEOUT|HTTP_RETRIES|INSECURE_HOST)"
    r"|(HTTP|HTTPS|ALL|NO)_PROXY|(http|https|all|no)_proxy"
)


def flags(directory: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Write the build's variables into `directory`; return the builder's options for secrets.

    A secret is mounted during the package installation only: it is in no layer and not in the image's
    history. Raises PreparationError for a missing CA file.
    """
    lines = [
        f"{name}={shlex.quote(value)}\n"
        for name, value in sorted(variables.items())
        if _PASSED_ON.fullmatch(name)
    ]
    if lines:
        file = directory / "environment"
        file.touch(mode=0o600)
        file.write_text("".join(lines))
        yield f"--secret=id=environment,src={file}"
    if bundle := variables.get("SSL_CERT_FILE"):
        if not Path(bundle).is_file():
            raise PreparationError(f"SSL_CERT_FILE: missing file: {bundle}; correct or unset the variable")
        yield f"--secret=id=ca,src={bundle}"
