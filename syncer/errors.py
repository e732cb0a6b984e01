"""Errors of the syncer, by the action they need: fix a setting, or retry later."""

from syncer.text.redaction import redacted_input


class SyncerError(Exception):
    """Any failure with a one-line message for users; secrets are redacted."""

    def __init__(self, message: str = "") -> None:
        super().__init__(redacted_input(message))


class MisconfiguredError(SyncerError):
    """Only a person can fix the failure: the message names the setting or the permission, and the fix."""


class NotBegunError(SyncerError):
    """A single pass could not begin in time; the message names what was missing."""


class UnreadError(SyncerError):
    """The output of a command could not be written; without a message if the reader has gone (`| head`)."""


class ClusterError(SyncerError):
    """The Kubernetes API server did not respond as expected; always retried."""


class ConflictError(ClusterError):
    """Another writer changed or removed the object since the last read."""


class DeniedError(ClusterError):
    """The API server denies the request (403); a person must grant the permission named in the message."""


class AwsError(SyncerError):
    """An AWS call failed. `operation` and `code` come from AWS; `slow` means retry in minutes, not seconds.

    `unsure`: AWS may have carried out the call. After a refusal by AWS, the call was not carried out.
    """

    slow = False
    unsure = True

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = redacted_input(code)
        self.detail = redacted_input(message)


class UnreachableError(AwsError):
    """No response: refused, timed out, cut off. A write may have been carried out; writes are idempotent."""


class ThrottledError(AwsError):
    """The account's token bucket is empty (ThrottlingException, Rate exceeded)."""

    unsure = False


class TargetGroupNotFoundError(AwsError):
    """The target group does not exist; retried slowly, because the group may be created again."""

    slow = True
    unsure = False


class AccessDeniedError(AwsError):
    """A permission is missing; `action` is the IAM action to grant."""

    slow = True
    unsure = False

    def __init__(self, operation: str, code: str, message: str, action: str) -> None:
        super().__init__(operation, code, f"allow {action} ({message})")
        self.action = action


class CredentialsError(AwsError):
    """No usable credentials: the source (STS, an agent, a file, …) failed, or ELB rejects them.

    No evidence about permissions on a target group, so never a reason for blind mode.
    """

    unsure = False


class CredentialsExpiredError(CredentialsError):
    """ELB rejects key or token as expired or unknown; the next attempt fetches new credentials."""


class NotLeaderError(AwsError):
    """The call was not sent: too little of the Lease was left, so another replica may write."""

    unsure = False

    def __init__(self, operation: str) -> None:
        super().__init__(operation, "NotLeader", "not sent: this replica does not hold the Lease any more")


class RefusedTargetsError(AwsError):
    """RegisterTargets refused the whole call because of some targets; `ids` if AWS named them."""

    unsure = False

    def __init__(self, operation: str, code: str, message: str, ids: frozenset[str]) -> None:
        super().__init__(operation, code, message)
        self.ids = ids


class InvalidTargetError(RefusedTargetsError):
    """The instance does not exist, is not running or is in another VPC."""


class TooManyRegistrationsError(RefusedTargetsError):
    """TooManyRegistrationsForTargetId: the instance is in too many groups."""


class TooManyTargetsError(AwsError):
    """The group or the load balancer is full."""

    unsure = False
