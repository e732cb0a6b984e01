"""The meaning and the remedy of a builder's errors."""

import re
from typing import Final

_LOGIN: Final = re.compile(
    r"unauthorized|authentication required|no basic auth|denied|\b40[13]\b", re.IGNORECASE
)
_UNREACHABLE: Final = re.compile(
    r"dial tcp|no such host|connection refused|connection reset|i/o timeout|TLS handshake|x509|EOF"
    r"|pinging container registry|network is unreachable|http: server gave HTTP response",
    re.IGNORECASE,
)
_ARCHITECTURE: Final = re.compile(
    r"exec format error|no image found .* for architecture|no match for platform"
)
_INDEX: Final = re.compile(r"No matching distribution found|Failed to (fetch|download)|error sending request")
_USERINFO: Final = re.compile(r"(?<![\w.:-])[^\s/:@'\"]{1,256}:(?!//|\d+[/@])[^\s@'\"]{1,1024}@(?!sha256:)")
_NO_BUILDX: Final = re.compile(r"buildx component is missing", re.IGNORECASE)
_ABSENT: Final = re.compile(r"manifest unknown|: not found|name unknown", re.IGNORECASE)


def of_build(refusal: str, *, program: str, base: str) -> str:
    """Return the message for a build that `program` refused with `refusal`."""
    if _NO_BUILDX.search(refusal):
        return f"Docker cannot build without Buildx: {refusal}; install docker-buildx-plugin or docker-buildx"
    if _INDEX.search(refusal):
        fix = "set PIP_INDEX_URL and UV_DEFAULT_INDEX to a reachable index"
        return f"a package cannot be downloaded: {refusal}; {fix}"
    if _ARCHITECTURE.search(refusal):
        fix = "set BASE= to an image with all architectures, or remove the platform from PLATFORMS="
        return f"the base image {base} lacks a requested architecture: {refusal}; {fix}"
    if _UNREACHABLE.search(refusal) or _ABSENT.search(refusal):
        fix = "set BASE=REGISTRY/IMAGE to another image, or run `make image BASE=debian`"
        return f"the base image {base} cannot be pulled: {refusal}; {fix}"
    if _LOGIN.search(refusal):
        return f"the base image {base} cannot be pulled: {refusal}; run `{program} login {registry(base)}`"
    return f"{program} cannot build the image: {refusal}"


def of_push(refusal: str, *, program: str, reference: str) -> str:
    """Return the message for a push that `program` refused with `refusal`."""
    where = registry(reference)
    if _UNREACHABLE.search(refusal):
        return f"the registry {where} cannot be reached: {refusal}; check the name in PUSH={reference}"
    if _LOGIN.search(refusal):
        return f"the registry {where} refuses the push: {refusal}; run `{program} login {where}`"
    return f"{program} cannot push to {reference}: {refusal}"


def masked(text: str) -> str:
    """Return `text` without user and password before a host: builders repeat the URLs of package indexes."""
    return _USERINFO.sub("***@", text)


def registry(reference: str) -> str:
    """Return the registry of a qualified reference."""
    return qualified(reference).partition("/")[0]


def without_tag(reference: str) -> str:
    """Return a reference without its tag; a registry's port stays."""
    path, slash, last = reference.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}"


def qualified(reference: str) -> str:
    """Return a reference with its registry, as Docker completes it; Podman and Buildah would search."""
    first, slash, _ = reference.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return reference
    return f"docker.io/{reference}" if slash else f"docker.io/library/{reference}"
