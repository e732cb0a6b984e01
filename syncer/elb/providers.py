"""boto3's chain of credential providers, with limits on waits, and strict reads of token files."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from botocore.credentials import (
    AssumeRoleProvider,
    AssumeRoleWithWebIdentityProvider,
    ContainerProvider,
    CredentialProvider,
    ProcessProvider,
    create_credential_resolver,
)
from botocore.session import Session

from syncer.text.redaction import know

# A process may prompt a user for a code. A call does not wait so long; the next call uses the result.
_PROCESS_S = 60.0
# Both are variables too (AWS_METADATA_SERVICE_TIMEOUT, …_NUM_ATTEMPTS), in seconds and requests.
_METADATA_LIMITS = {"metadata_service_timeout": 3, "metadata_service_num_attempts": 3}
_TOKEN_BYTES = 64 * 1024
_TOKEN = ContainerProvider.ENV_VAR_AUTH_TOKEN
_TOKEN_FILE = ContainerProvider.ENV_VAR_AUTH_TOKEN_FILE


def providers(session: Session, sts_region: str) -> Sequence[CredentialProvider]:
    """Return the chain of `session`, with STS in `sts_region`. Raises botocore's and files' errors."""
    for name, most in _METADATA_LIMITS.items():
        session.set_config_variable(name, min(int(session.get_config_variable(name)), most))
    return _limited(create_credential_resolver(session, region_name=sts_region).providers)


def _limited(chain: Sequence[CredentialProvider]) -> Sequence[CredentialProvider]:
    """Limit the providers in place: botocore gives no other access to the parts of its providers."""
    for provider in chain:
        each: Any = provider
        if isinstance(provider, AssumeRoleWithWebIdentityProvider):
            each._token_loader_cls = TokenFile  # noqa: SLF001
        elif isinstance(provider, ContainerProvider):
            each._environ = _WithToken(os.environ)  # noqa: SLF001
        elif isinstance(provider, ProcessProvider):
            each._popen = _LimitedProcess  # noqa: SLF001
        elif isinstance(provider, AssumeRoleProvider):
            builder = each._profile_provider_builder  # noqa: SLF001
            builder.providers = _limiting(builder.providers)
            each._prompter = _no_prompt  # noqa: SLF001
    return chain


class MfaError(ValueError):
    """A profile needs a code that a user would have to type."""


def _no_prompt(_: str) -> str:
    raise MfaError("the profile requires an MFA code (mfa_serial), which the syncer cannot provide")


def _limiting(
    made: Callable[..., Sequence[CredentialProvider]],
) -> Callable[..., Sequence[CredentialProvider]]:
    return lambda *args, **named: _limited(made(*args, **named))


class TokenFile:
    """A file with one token, read again for each call; white space around the token is ignored."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def __call__(self) -> str:
        """Return the token; OSError or ValueError for a file without a token."""
        if self._path.exists() and not self._path.is_file():
            raise ValueError(f"{self._path} is not a regular file")
        with self._path.open(encoding="utf-8-sig") as file:
            text = file.read(_TOKEN_BYTES + 1).strip()
        if len(text) > _TOKEN_BYTES:
            raise ValueError(f"{self._path} is larger than {_TOKEN_BYTES} bytes")
        know(text)
        if not text:
            raise ValueError(f"{self._path} is empty")
        if not text.isascii() or not text.isprintable() or text[0] in "'\"":
            raise ValueError(
                f"{self._path} has line breaks, quotes or other characters that are invalid in a token"
            )
        return text


class _WithToken(Mapping[str, str]):
    """The environment for the container provider: the token is the content of the token file."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        if name == _TOKEN and _TOKEN_FILE in self._environment:
            return TokenFile(self._environment[_TOKEN_FILE])()
        if name == _TOKEN_FILE:
            raise KeyError(name)
        return self._environment[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


class _LimitedProcess(subprocess.Popen[bytes]):
    """A credential_process that is killed after a time limit."""

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002
        """Run to the end; TimeoutExpired after a minute."""
        try:
            return super().communicate(input, timeout or _PROCESS_S)
        except subprocess.TimeoutExpired:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(1.0)
            raise
