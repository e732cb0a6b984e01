"""Fetch AWS credentials in a separate step, so that a failed fetch does not look like an ELB failure.

botocore fetches credentials while signing a call: then an AccessDenied of STS is the same exception as ELB's,
and a hanging source delays the call. Here boto3's own chain runs in a separate thread, a call waits a limited
time for the chain, and every failure is a CredentialsError that names the cure.
"""

import os
import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from botocore.credentials import (
    CredentialProvider,
    Credentials,
    ReadOnlyCredentials,
    RefreshableCredentials,
)

from syncer.elb import claims
from syncer.elb.cures import credentials_fault, malformed, none_found
from syncer.errors import CredentialsError
from syncer.text.redaction import know

# STS has 13 s to answer, the Pod Identity agent 9 s with its retries: a call waits no longer.
_PATIENCE_S = 15.0
# Characters allowed in an HTTP header.
_LEGAL = re.compile(r"[\x21-\x7e]+")


class Source(Credentials):
    """The credentials of a client, read by botocore before signing a call.

    `providers` makes boto3's chain, again after each failure: files are read again.
    """

    def __init__(self, providers: Callable[[], Iterable[CredentialProvider]]) -> None:
        super().__init__("", "", method="chain")
        self._providers = providers
        self._found: Credentials | None = None
        self._lock = threading.Lock()
        self._fetching: Future[ReadOnlyCredentials] | None = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys for signing; CredentialsError after 15 s at the latest. One fetch at a time."""
        found = self._found
        if found is not None and not (isinstance(found, RefreshableCredentials) and found.refresh_needed()):
            return _usable(found)
        try:
            return self._fetch().result(_PATIENCE_S)
        except TimeoutError:
            message = (
                f"no answer within {_PATIENCE_S:g} s; check the connection to STS (a VPC endpoint in a "
                "private network), the Pod Identity agent, the instance metadata, or credential_process"
            )
            raise CredentialsError("AWS credentials", "TimedOut", message) from None

    def _fetch(self) -> "Future[ReadOnlyCredentials]":
        """Return the fetch under way, or start a fetch."""
        with self._lock:
            if self._fetching is None or self._fetching.done():
                self._fetching = Future()
                run = threading.Thread(
                    target=self._run, args=(self._fetching,), name="credentials", daemon=True
                )
                run.start()
            return self._fetching

    def _run(self, fetching: "Future[ReadOnlyCredentials]") -> None:
        method = ""
        try:
            found = self._found
            for provider in () if found else self._providers():
                method = provider.METHOD or ""
                if (found := provider.load()) is not None:
                    break
            if found is None:
                raise none_found()  # noqa: TRY301 - fails like everything else here
            method = found.method
            keys = _usable(found)
        except CredentialsError as error:
            self._found = None
            fetching.set_exception(error)
        except Exception as error:  # noqa: BLE001 - whatever a file, a process or a server makes of the chain
            self._found = None
            found_claims = claims.of_environment(method, os.environ)
            role_arn = os.environ.get("AWS_ROLE_ARN", "")
            fetching.set_exception(credentials_fault(method, error, found_claims, role_arn))
        else:
            self._found, self.method = found, method
            fetching.set_result(keys)


def _usable(found: Credentials) -> ReadOnlyCredentials:
    """Return the keys, registered for redaction; CredentialsError for a key that is invalid in a header."""
    frozen = found.get_frozen_credentials()
    keys = {
        "access key id": frozen.access_key,
        "secret access key": frozen.secret_key,
        "session token": frozen.token,
    }
    keys = {what: key.strip() if key else key for what, key in keys.items()}
    know(keys["secret access key"], keys["session token"])
    for what, key in keys.items():
        if key is None and what == "session token":
            continue
        if not key:
            raise malformed(found.method, what, "is empty")
        if key[0] in "'\"" or key[-1] in "'\"":
            raise malformed(found.method, what, "is in quotes; remove the quotes")
        if not _LEGAL.fullmatch(key):
            raise malformed(found.method, what, "contains a space, a line break or another illegal character")
    return frozen._replace(
        access_key=keys["access key id"], secret_key=keys["secret access key"], token=keys["session token"]
    )
