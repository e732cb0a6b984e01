"""The failures the syncer knows, by what is to be done about them: fix the settings, or try again later."""

from syncer.text.redaction import redacted_input


class SyncerError(Exception):
    """Any failure with a one-line message for people, which holds no secret whatever it quotes."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redacted_input(message))


class MisconfiguredError(SyncerError):
    """Nothing will mend it but a person: the message names the setting or the right, and the fix."""


class NotBegunError(SyncerError):
    """What was to be done once could not begin in time; the message says what it waited for."""


class UnreadError(SyncerError):
    """An answer could not be written; without a message where its reader has gone (`| head`)."""


class ClusterError(SyncerError):
    """The Kubernetes API did not answer as it should; always tried again."""


class ConflictError(ClusterError):
    """The object was changed by another hand, or removed, since it was read."""


class DeniedError(ClusterError):
    """The API server does not allow it (403): a person must grant the right that the message names."""


class AwsError(SyncerError):
    """An AWS call failed. `operation` and `code` are AWS's words; `slow` asks for minutes, not seconds.

    `unsure`: it may have been carried out all the same. AWS's refusals say that it was not.
    """

    slow = False
    unsure = True

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = redacted_input(code)
        self.detail = redacted_input(message)


class UnreachableError(AwsError):
    """No answer: refused, timed out, cut off. A write may have happened all the same; it is idempotent."""


class ThrottledError(AwsError):
    """The account's token bucket is empty (ThrottlingException, Rate exceeded)."""

    unsure = False


class TargetGroupNotFoundError(AwsError):
    """The group does not exist (any more): retried slowly, for it may be created again."""

    slow = True
    unsure = False


class AccessDeniedError(AwsError):
    """A right is missing; `action` is the IAM action to grant."""

    slow = True
    unsure = False

    def __init__(self, operation: str, code: str, message: str, action: str) -> None:
        super().__init__(operation, code, f"allow {action} ({message})")
        self.action = action


class CredentialsError(AwsError):
    """No usable credentials: their source (STS, an agent, a file, …) failed, or ELB rejects them.

    No statement about any right on a target group: it never leads to blind mode.
    """

    unsure = False


class CredentialsExpiredError(CredentialsError):
    """ELB rejects key or token as expired or unknown: the next attempt fetches them again."""


class NotLeaderError(AwsError):
    """Not sent: too little of the Lease was left, so another replica may write."""

    unsure = False

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "NotLeader", "not sent: this replica does not hold the Lease any more")


class RefusedTargetsError(AwsError):
    """RegisterTargets refused the whole call for some of its targets; `ids` where AWS named them."""

    unsure = False

    def __init__(self, operation: str, code: str, message: str, ids: frozenset[str]) -> None:
        super().__init__(operation, code, message)
        self.ids = ids


class InvalidTargetError(RefusedTargetsError):
    """An instance that does not exist, does not run or is in another VPC."""


class TooManyRegistrationsError(RefusedTargetsError):
    """TooManyRegistrationsForTargetId: one instance is in too many groups."""


class TooManyTargetsError(AwsError):
    """The group or the load balancer is full."""

    unsure = False
