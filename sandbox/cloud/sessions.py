"""Temporary credentials: the sessions of roles issued by STS, EKS and the instance metadata."""

import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.cloud.errors import AwsError
from sandbox.layout import ACCOUNT

_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Credentials of a role; `expires` in seconds since 1970, `tags` are the session tags."""

    access_key: str
    secret_key: str
    token: str
    role: str
    role_id: str
    name: str
    expires: float
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of the assumed role."""
        return f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.name}"

    @property
    def user_id(self) -> str:
        """The unique id of the assumed role."""
        return f"{self.role_id}:{self.name}"

    @property
    def expiration(self) -> datetime:
        """When the session expires."""
        return datetime.fromtimestamp(self.expires, UTC)


class Sessions:
    """All issued sessions; `clock` is in seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._by_key: dict[str, Session] = {}

    def start(self, role: Any, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> Session:
        """Start a session of `role` (moto's) that lasts `seconds`."""
        session = Session(
            access_key="ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)),
            secret_key=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(256),
            role=role.name,
            role_id=role.id,
            name=name,
            expires=self.clock() + seconds,
            tags=tags or {},
        )
        self._by_key[session.access_key] = session
        return session

    def expire(self) -> int:
        """End all sessions now; return the number of ended sessions."""
        now, ended = self.clock(), 0
        for key, session in self._by_key.items():
            if session.expires > now:
                self._by_key[key] = replace(session, expires=now)
                ended += 1
        return ended

    def find(self, access_key: str, token: str) -> Session | None:
        """Return the session of a key; None for an unknown key or a wrong token.

        Raises AwsError ExpiredToken.
        """
        session = self._by_key.get(access_key)
        if session is None or session.token != token:
            return None
        if session.expires <= self.clock():
            raise AwsError("ExpiredToken", "The security token included in the request is expired", 403)
        return session
