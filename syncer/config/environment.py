"""Prepare the variables of the process and its SDKs: trim values, register secrets for redaction."""

import re
from collections.abc import MutableMapping

from syncer.text.redaction import know_environment

# Variables of boto3, the Kubernetes client and the HTTP libraries. `echo KEY | base64` in a Secret leaves a
# newline, invalid in headers and paths.
_READ = re.compile(r"(AWS|KUBE|BOTO|NLB_SYNC)|.*_PROXY$|(SSL|REQUESTS|CURL)_", re.IGNORECASE)
# A byte order mark at the start: some editors add the mark.
_MARK = "\ufeff"
# White space that a shell, an editor or a Secret made of a file adds around a value; not the spaces of
# Unicode.
SPACE = " \t\r\n"


def prepare(environment: MutableMapping[str, str]) -> None:
    """Trim white space around values, drop empty AWS variables, and register secrets for redaction."""
    for name, text in list(environment.items()):
        trimmed = text.strip(SPACE).strip(_MARK).strip(SPACE)
        if not _READ.match(name):
            continue
        if trimmed or not name.startswith("AWS_"):
            environment[name] = trimmed
        else:
            del environment[name]  # boto3 takes an empty value for a path or URL
    know_environment(environment)
