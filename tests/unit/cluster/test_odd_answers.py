"""Answers of another shape than an API server gives: each is a ClusterError, which is waited out."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from syncer.cluster.api import Api
from syncer.cluster.events import KubernetesEvents, Workload
from syncer.cluster.lease import KubernetesLeases
from syncer.cluster.once import list_nodes
from syncer.cluster.record import KubernetesRecords
from syncer.decide.policy import NodePolicy
from syncer.errors import ClusterError
from syncer.interfaces import Event


class OddApi:
    """Answers everything with the same object."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def small(self, *_: object) -> Any:
        return self._answer

    def get(self, _path: str, _query: Mapping[str, str], _decode: object = None) -> Any:
        return self._answer


def odd(answer: Any) -> Api:
    return cast("Api", OddApi(answer))


VERSION = {"metadata": {"resourceVersion": "1"}}


@pytest.mark.parametrize(
    "answer",
    [
        *({}, {"metadata": None}, {"metadata": "x"}, {"metadata": {}}),
        *(VERSION | {"spec": spec} for spec in ("x", 7, ["x"])),
        *(VERSION | {"spec": {key: "x"}} for key in ("renewTime", "acquireTime", "leaseDurationSeconds")),
        VERSION | {"spec": {"leaseTransitions": {}, "renewTime": 7}},
    ],
)
def test_a_lease_that_makes_no_sense_is_an_answer_like_none(answer: Any) -> None:
    with pytest.raises(ClusterError, match="malformed response"):
        asyncio.run(KubernetesLeases(odd(answer), "edge", "nlb-sync").read())


@pytest.mark.parametrize("answer", [{}, {"metadata": []}, VERSION | {"data": "x"}, VERSION | {"data": [1]}])
def test_a_record_that_makes_no_sense_is_an_answer_like_none(answer: Any) -> None:
    with pytest.raises(ClusterError, match="malformed response"):
        asyncio.run(KubernetesRecords(odd(answer), "edge", "nlb-sync").read())


def test_what_is_no_text_in_the_record_is_passed_over() -> None:
    state = asyncio.run(
        KubernetesRecords(odd(VERSION | {"data": {"a": 5, "b": None, "c": "x"}}), "e", "n").read()
    )
    assert state is not None
    assert state.values == {"c": "x"}


def test_a_deployment_without_a_uid_is_told_as_a_fault() -> None:
    workload = Workload(namespace="edge", deployment="nlb-sync", pod="nlb-sync-x")
    event = Event(
        node="",
        reason="Leading",
        message="",
        warning=False,
        name="1",
        count=1,
        first=0.0,
        last=0.0,
        known=False,
    )
    with pytest.raises(ClusterError, match="malformed response"):
        asyncio.run(KubernetesEvents(odd({}), workload).write(event))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({}, "malformed"),
        ({"metadata": [], "items": []}, "malformed"),
        ({"metadata": {}, "items": {"a": 1}}, "malformed"),
        ({"metadata": {"continue": "more"}, "items": []}, "repeated its"),
    ],
)
def test_a_list_that_is_none_or_never_ends_is_refused(answer: Any, says: str) -> None:
    with pytest.raises(ClusterError, match=says):
        list_nodes(odd(answer), NodePolicy())
