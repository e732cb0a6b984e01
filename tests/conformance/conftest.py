"""The command itself, asked about documents: `python -m syncer …`, in this process.

Each row of the tables names those whose tests have such a situation; the data are our own. CCM is the service
controller of kubernetes/cloud-provider with kubernetes/cloud-provider-aws, LBC kubernetes-sigs'
aws-load-balancer-controller, NTH aws/aws-node-termination-handler, CA the cluster autoscaler of
kubernetes/autoscaler, KIA zalando-incubator/kube-ingress-aws-controller, Karpenter
kubernetes-sigs/karpenter, the predecessor ImagineLearning/node-nlb-sync.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncer.__main__ import main

Ask = Callable[..., Any]
# Who has such a Node, what is different about it, our verdict and reason.
Row = tuple[str, dict[str, Any], str, str]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Answer of the command as JSON. A word that is no string is a document, and becomes a file."""
    for name in os.environ:
        if name.startswith("NLB_SYNC_"):
            monkeypatch.delenv(name)

    def call(*words: Any) -> Any:
        named = []
        for number, word in enumerate(words):
            if isinstance(word, str):
                named.append(word)
                continue
            path = tmp_path / f"{number}.json"
            path.write_text(json.dumps(word), encoding="utf-8")
            named.append(str(path))
        assert main([*named, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return call
