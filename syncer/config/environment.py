"""Prepares the variables that the process and its SDKs read: trimmed, secrets registered for redaction."""

import re
from collections.abc import MutableMapping

from syncer.text.redaction import know_environment

# What boto3, the Kubernetes client and their HTTP libraries read. `echo KEY | base64` in a Secret leaves a
# newline, which no header can carry and no path has.
_READ = re.compile(r"(AWS|KUBE|BOTO|NLB_SYNC)|.*_PROXY$|(SSL|REQUESTS|CURL)_", re.IGNORECASE)
# A byte order mark, which an editor may leave in front.
_MARK = "\ufeff"
# What a shell, an editor or a Secret made of a file leaves around a value; not the spaces of Unicode.
SPACE = " \t\r\n"


def prepare(environment: MutableMapping[str, str]) -> None:
    """Trim white space around each value, drop empty AWS variables, and register secrets for redaction."""
    for name, text in list(environment.items()):
        trimmed = text.strip(SPACE).strip(_MARK).strip(SPACE)
        if not _READ.match(name):
            continue
        if trimmed or not name.startswith("AWS_"):
            environment[name] = trimmed
        else:
            del environment[name]  # boto3 takes an empty path or URL for one
    know_environment(environment)
