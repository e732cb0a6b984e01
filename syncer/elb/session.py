"""botocore's session with limits on every call, one source of credentials, and little memory."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import CredentialProvider, Credentials
from botocore.exceptions import UnknownRegionError
from botocore.loaders import create_loader
from botocore.session import Session

from syncer.elb.credentials import Source
from syncer.elb.providers import providers
from syncer.version import USER_AGENT

# An answered call takes well under 1 s; with 10 s the call in flight at SIGTERM ends within the usual grace
# period of 30 s.
_CONNECT_S = 3
_READ_S = 10
_CONNECTIONS = 16
# Explicit: botocore's default changed from 5 legacy attempts to 3 standard attempts in 1.44.
CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=_CONNECT_S,
    read_timeout=_READ_S,
    max_pool_connections=_CONNECTIONS,
    user_agent_extra=USER_AGENT,
)


def source_of(region: str, access_key: str, secret_key: str, environment: Mapping[str, str]) -> Source:
    """Return boto3's own chain, for calls in `region`; the given keys where AWS's variables are not set."""
    if access_key and not environment.get("AWS_ACCESS_KEY_ID"):
        return Source(lambda: [_Given(access_key, secret_key)])
    return Source(partial(_chain, sts_region(environment, region)))


def new_session(source: Source) -> boto3.Session:
    """Return a session with the keys of `source`.

    Do not keep the session: a session holds the endpoints of all services.
    """
    session = _session()
    session.register_component("credential_provider", _Fixed(source))
    return boto3.Session(botocore_session=session)


def sts_region(environment: Mapping[str, str], region: str) -> str:
    """Return STS's region: AWS_REGION if in the partition of `region`, else `region`.

    boto3 itself reads AWS_DEFAULT_REGION only, but EKS sets both, and EKS's STS endpoint is in AWS_REGION.
    """
    chosen = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or region
    if chosen == region:
        return region
    known = _session()
    try:
        same = known.get_partition_for_region(chosen) == known.get_partition_for_region(region)
    except UnknownRegionError:
        return region
    return chosen if same else region


def _chain(region: str) -> Sequence[CredentialProvider]:
    return providers(_session(), region)


def _session() -> Session:
    session = Session()
    session.register_component("data_loader", _ForgetfulLoader(session.get_config_variable("data_path")))
    # botocore's own clients (STS, SSO) accept time-outs in no other way.
    session.set_default_client_config(CONFIG)
    return session


class _Fixed:
    """Replaces botocore's resolver of credentials: returns a Source without any fetch."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def load_credentials(self) -> Credentials:
        """Return the Source; called by botocore for a new client."""
        return self._source


class _Given(CredentialProvider):
    """Two given keys."""

    METHOD = "explicit"

    def __init__(self, access_key: str, secret_key: str) -> None:
        super().__init__()
        self._keys = (access_key, secret_key)

    def load(self) -> Credentials:
        """Return the keys."""
        return Credentials(*self._keys, method=self.METHOD)


class _ForgetfulLoader:
    """Replaces botocore's loader of its data files, and reads a file again for each request.

    A client needs the endpoints of all services and its own service's model, documentation included. The
    client copies its part, but holds the loader, and a caching loader would keep all the data: 7 MiB.
    """

    def __init__(self, data_path: str | None) -> None:
        self._data_path = data_path

    def __getattr__(self, name: str) -> Any:
        return getattr(create_loader(self._data_path), name)
