"""Translate botocore's exceptions into the syncer's own failures, by the needed action."""

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from syncer.elb.cures import CREDENTIAL_OPERATIONS, credentials_fault, none_found
from syncer.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsExpiredError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    ThrottledError,
    TooManyRegistrationsError,
    TooManyTargetsError,
    UnreachableError,
)

# InvalidTarget quotes ids as 'i-0123456789abcdef0': "The following targets are not in a running state and
# cannot be registered: …" (API reference), "The following instances do not exist: …"; or has "Targets
# {i-0123456789abcdef0} are not supported", for an instance type without NLB support (Kubernetes issue 56700).
_INSTANCE_ID = re.compile(r"\bi-[0-9a-z]+\b")
# AWS's message, also for the whole call, for an impossible id (issues 316, 328 and 3668 of the AWS Load
# Balancer Controller).
_MALFORMED_ID = re.compile(r"Instance ID '([^']*)' is not valid")
# The shown length of an unreadable answer, possibly a whole web page.
_SHOWN = 200
_ACTION = re.compile(r"not authorized to perform: (\S+)")

# Exceptions of a call. The last three: botocore parses an answer that is not AWS's.
RAISED = (ClientError, BotoCoreError, OSError, ResponseParserError, LookupError, ValueError)

_THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)
_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_NEW_KEY = "set a new key or token, or use a role"
# The cures by code. AWS also sends the last four for keys that are deleted or not yet known to all servers.
_EXPIRIES = {
    "ExpiredToken": _NEW_KEY,
    "ExpiredTokenException": _NEW_KEY,
    "RequestExpired": "set this machine's clock",
    "InvalidClientTokenId": _NEW_KEY,
    "UnrecognizedClientException": _NEW_KEY,
    "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY, or set this machine's clock",
    "AuthFailure": _NEW_KEY,
}


def fault(operation: str, error: Exception) -> AwsError:
    """Return the failure for `error`, raised by botocore during `operation`."""
    if isinstance(error, NoCredentialsError):
        return none_found()
    if isinstance(error, PartialCredentialsError | CredentialRetrievalError):
        return credentials_fault("", error)
    if isinstance(error, ClientError):
        if error.operation_name in CREDENTIAL_OPERATIONS:
            return credentials_fault("", error)
        details, status = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        code = details.get("Code") or str(status.get("HTTPStatusCode", "Unknown"))
        return _answered(operation, code, _one_line(details.get("Message", "")))
    code = type(error).__name__
    if isinstance(error, BotoCoreError):
        return UnreachableError(operation, code, _one_line(str(error)))
    if isinstance(error, OSError):
        return AwsError(operation, code, _one_line(str(error)))
    read = _one_line(str(error))[:_SHOWN]
    return AwsError(operation, "Garbled", f"response is not from AWS ({code}: {read}); check for a proxy")


def _answered(operation: str, code: str, message: str) -> AwsError:
    ids = frozenset(_INSTANCE_ID.findall(message))
    malformed = frozenset(_MALFORMED_ID.findall(message))
    if code == "InvalidTarget" or (code == "ValidationError" and malformed):
        return InvalidTargetError(operation, code, message, ids | malformed)
    if code == "TooManyRegistrationsForTargetId":
        return TooManyRegistrationsError(operation, code, message, ids)
    if code == "TooManyTargets":
        return TooManyTargetsError(operation, code, message)
    if code == "TargetGroupNotFound":
        return TargetGroupNotFoundError(
            operation, code, f"{message}; correct the ARN in the settings, or create the target group"
        )
    if code in _THROTTLES:
        return ThrottledError(operation, code, message)
    if code in _DENIALS:
        named = _ACTION.search(message)
        service = "sts" if operation == "GetCallerIdentity" else "elasticloadbalancing"
        action = named[1] if named else f"{service}:{operation}"
        return AccessDeniedError(operation, code, message, action)
    if code in _EXPIRIES:
        return CredentialsExpiredError(operation, code, f"{message}; {_EXPIRIES[code]}")
    return AwsError(operation, code, message)


def _one_line(text: str) -> str:
    return " ".join(text.split())
