"""List-then-watch over real HTTP: what a sick API server does, and how often it is asked meanwhile."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from kubernetes.client.configuration import Configuration

from syncer.cluster import pace
from syncer.cluster import reflector as module
from syncer.cluster.adapter import NODES
from syncer.cluster.api import Api
from syncer.cluster.reflector import Reflector, Watched
from tests.integration.syncer.faulty import (
    Answer,
    FaultyServer,
    Request,
    a_document,
    a_list,
    a_raw_document,
    a_refusal,
    a_stream,
    bookmark,
    event,
    hang_up,
)

# How long a fault is watched: long enough to tell once a second from a tight loop.
_FAULT_S = 3.0


class Sink:
    """What the reflector has told."""

    def __init__(self) -> None:
        self.views: dict[str, str] | None = None
        self.lists = 0
        self.restarts: list[str] = []

    def replaced(self, views: Mapping[str, str]) -> None:
        self.views = dict(views)
        self.lists += 1

    def changed(self, name: str, view: str | None) -> None:
        assert self.views is not None
        if view is None:
            self.views.pop(name, None)
        else:
            self.views[name] = view

    def restarted(self, _plural: str, reason: str) -> None:
        self.restarts.append(reason)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def reflector(server: FaultyServer, sink: Sink) -> Iterator[Reflector[str]]:
    following = _reflector(server, sink)
    yield following
    following.stop()


@contextmanager
def _following(server: FaultyServer, sink: Sink) -> Iterator[Reflector[str]]:
    following = _reflector(server, sink)
    following.start()
    yield following
    following.stop()


def _reflector(server: FaultyServer, sink: Sink, watched: Watched = NODES) -> Reflector[str]:
    configuration = Configuration(host=server.url)
    configuration.retries = False
    return Reflector(Api(configuration), watched, _colour, sink)


def _colour(item: Mapping[str, Any]) -> str:
    colour = item.get("spec", {}).get("providerID", "plain")
    if colour == "malformed":
        raise ValueError("malformed")
    return str(colour)


def until(holds: Callable[[], bool], within: float = 5.0, whose: str = "") -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, whose
        time.sleep(0.01)


def test_views_are_those_of_now_while_a_watch_is_open_and_says_nothing(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    assert reflector.behind == float("inf")
    server.lists, server.watches = a_list("a"), a_stream(then="hang")
    reflector.start()
    until(lambda: sink.lists == 1 and reflector.behind == 0.0)


def test_it_is_known_for_how_long_the_views_may_have_been_wrong(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.lists, server.watches = a_list("a"), hang_up
    reflector.start()
    until(lambda: reflector.behind != float("inf"))
    until(lambda: reflector.behind > 2.0)
    server.watches = a_stream(event("ADDED", "b", 101), then="hang")
    until(lambda: sink.views is not None and "b" in sink.views)
    assert reflector.behind < 1.0


def test_events_keep_the_list_current(server: FaultyServer, sink: Sink, reflector: Reflector[str]) -> None:
    server.lists = a_list("a", "b")
    server.watches = a_stream(
        event("ADDED", "c", 101),
        event("MODIFIED", "a", 102, spec={"providerID": "red"}),
        event("DELETED", "b", 103),
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "110"}}},
        then="hang",
    )
    reflector.start()
    until(lambda: sink.views == {"a": "red", "c": "plain"})


def test_pages_of_250_are_asked_for_without_a_version_and_joined(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    pages: dict[str, Answer] = {"": a_list("a", **{"continue": "next"}), "next": a_list("b")}
    server.lists = lambda handler, request: pages[request.query.get("continue", "")](handler, request)
    reflector.start()
    until(lambda: sink.views == {"a": "plain", "b": "plain"})
    first = next(request.query for request in server.requests if not request.watch)
    assert first["limit"] == "250"
    assert "resourceVersion" not in first


def test_a_failed_page_is_asked_for_again_and_the_pages_before_it_are_kept(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    failures = [a_refusal(500)]

    def lists(handler: Any, request: Any) -> None:
        page = a_list("b") if "continue" in request.query else a_list("a", **{"continue": "next"})
        (failures.pop() if "continue" in request.query and failures else page)(handler, request)

    server.lists = lists
    reflector.start()
    until(lambda: sink.views == {"a": "plain", "b": "plain"})
    assert [request.query.get("continue") for request in server.requests if not request.watch] == [
        None,
        "next",
        "next",
    ]


def test_a_watch_that_ends_normally_resumes_where_it_was(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.watches = a_stream(event("ADDED", "a", 107))
    reflector.start()
    until(lambda: len(_watches(server)) >= 2)
    resumed = _watches(server)[1]
    assert resumed.query["resourceVersion"] == "107"
    assert resumed.query["allowWatchBookmarks"] == "true"
    assert 40 <= int(resumed.query["timeoutSeconds"]) <= 50
    assert server.count(watch=False) == 1
    assert sink.restarts[0] == "expired"


def _watches(server: FaultyServer) -> list[Request]:
    """The watches that went on from a version."""
    return [request for request in server.requests if request.watch and not request.streams_list]


def test_the_list_comes_by_a_stream_that_goes_on_as_the_watch(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.streams = a_stream(
        event("ADDED", "a", 90),
        event("ADDED", "b", 40),
        event("ADDED", "c", 70),
        event("MODIFIED", "a", 101, spec={"providerID": "blue"}),
        event("DELETED", "c", 102),
        bookmark(102, list_ends=True),
        event("MODIFIED", "b", 103, spec={"providerID": "red"}),
        then="hang",
    )
    reflector.start()
    until(lambda: sink.views == {"a": "blue", "b": "red"})
    assert sink.lists == 1
    [only] = server.requests
    assert only.query["sendInitialEvents"] == "true"
    assert only.query["resourceVersionMatch"] == "NotOlderThan"
    assert only.query["allowWatchBookmarks"] == "true"
    assert "resourceVersion" not in only.query


def test_a_streamed_list_that_is_over_resumes_as_a_watch(server: FaultyServer, sink: Sink) -> None:
    server.streams = a_stream(event("ADDED", "a", 90), bookmark(102, list_ends=True))
    with _following(server, sink):
        until(lambda: bool(_watches(server)))
    assert _watches(server)[0].query["resourceVersion"] == "102"
    assert server.count(watch=False) == 0


SELECTOR = "pool in (edge,web),!spot"
SELECTED = replace(NODES, label_selector=SELECTOR)


def test_every_list_and_watch_has_the_label_selector(server: FaultyServer, sink: Sink) -> None:
    pages = {"": a_list("a", **{"continue": "next"}), "next": a_list("b")}
    server.lists = lambda handler, request: pages[request.query.get("continue", "")](handler, request)
    following = _reflector(server, sink, SELECTED)
    following.start()
    until(lambda: bool(_watches(server)))
    following.stop()
    kinds = [("watch" if each.watch else "page", each.streams_list) for each in server.requests]
    assert kinds == [("watch", True), ("page", False), ("page", False), ("watch", False)]
    assert [each.query["labelSelector"] for each in server.requests] == [SELECTOR] * len(kinds)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_selector_that_selects_nothing_is_logged(
    server: FaultyServer, sink: Sink, caplog: pytest.LogCaptureFixture, *, streamed: bool
) -> None:
    server.lists = a_list()
    if streamed:
        server.streams = a_stream(bookmark(102, list_ends=True), then="hang")
    for watched, lines in ((NODES, 0), (SELECTED, 1)):
        before, following = sink.lists, _reflector(server, sink, watched)
        following.start()
        until(lambda before=before: sink.lists > before)  # type: ignore[misc]
        until(lambda following=following: following.behind < 1)  # type: ignore[misc]
        line = f"the API server returned no nodes for the label selector {SELECTOR}"
        until(lambda lines=lines, line=line: caplog.messages.count(line) == lines)  # type: ignore[misc]
        following.stop()


def test_nothing_is_told_of_a_streamed_list_before_it_is_complete(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.streams = a_stream(event("ADDED", "a", 90), bookmark(95), event("ADDED", "b", 96), then="hang")
    reflector.start()
    time.sleep(0.5)
    assert sink.views is None


NO_STREAMS: dict[str, Answer] = {
    "a server that is too old": a_refusal(422),
    "a proxy that does not know it": a_refusal(400),
    "who may not watch": a_refusal(403),
    "ignored: the watch ends": a_stream(event("ADDED", "ghost", 90)),
    "ignored: the watch goes on": a_stream(event("ADDED", "ghost", 90), bookmark(95), then="hang"),
}


@pytest.mark.parametrize("streams", NO_STREAMS.values(), ids=NO_STREAMS)
def test_where_no_list_is_streamed_it_comes_by_pages_at_once(
    streams: Answer, server: FaultyServer, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIST_SILENCE_S", 1.0)
    if streams is not NO_STREAMS["ignored: the watch goes on"]:  # that one looks like an outage
        monkeypatch.setattr(pace, "SHORT_WAIT_S", 20.0)
    server.streams, server.lists = streams, a_list("a")
    with _following(server, sink):
        until(lambda: sink.views == {"a": "plain"}, within=5)


def test_a_stream_that_breaks_off_leaves_nothing_behind_in_the_list(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.streams = a_stream(event("ADDED", "ghost", 90), then="break")
    server.lists = a_list("a")
    reflector.start()
    until(lambda: sink.views == {"a": "plain"})


def test_pages_that_fail_are_followed_by_a_stream(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.lists = a_refusal(500)
    reflector.start()
    until(lambda: server.count(watch=False) == 1)
    server.streams = a_stream(event("ADDED", "a", 90), bookmark(102, list_ends=True), then="hang")
    until(lambda: sink.views == {"a": "plain"})
    until(lambda: reflector.problem == "")


def test_after_its_streamed_list_a_watch_may_be_silent(
    server: FaultyServer, sink: Sink, reflector: Reflector[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIST_SILENCE_S", 1.0)
    server.streams = a_stream(event("ADDED", "a", 90), bookmark(102, list_ends=True), then="hang")
    reflector.start()
    until(lambda: sink.views == {"a": "plain"})
    time.sleep(2.0)
    assert sink.restarts == []
    assert len(server.requests) == 1


def test_an_hour_old_list_is_read_anew_and_what_went_meanwhile_is_gone(
    server: FaultyServer, sink: Sink, reflector: Reflector[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.streams = a_stream(event("ADDED", "a", 90), event("ADDED", "b", 91), bookmark(102, list_ends=True))
    reflector.start()
    until(lambda: sink.lists == 1)
    server.streams = a_stream(event("ADDED", "b", 91), bookmark(150, list_ends=True), then="hang")
    server.watches = a_stream()
    monkeypatch.setattr(module, "_TRUST_S", 0.0)
    until(lambda: sink.views == {"b": "plain"})
    assert "aged" in sink.restarts


def _one_more_event(handler: Any, request: Any) -> None:
    """A stream that closes after one new event, each time."""
    a_stream(event("ADDED", "a", int(request.query["resourceVersion"]) + 1))(handler, request)


def _one_event_then_garbage(handler: Any, request: Any) -> None:
    """A stream that says one thing, then nonsense, each time."""
    more = event("ADDED", "a", int(request.query["resourceVersion"]) + 1)
    a_stream(more, b"nonsense\n")(handler, request)


def gone_in_the_middle(handler: Any, request: Any) -> None:
    """A list whose second page is compacted away before it is asked for."""
    first = a_list("a", **{"continue": "next"})
    (a_refusal(410) if "continue" in request.query else first)(handler, request)


LIST_FAULTS: dict[str, Answer] = {
    **{str(status): a_refusal(status) for status in (401, 403, 410, 429, 500)},
    "hangs-up": hang_up,
    "garbage": a_raw_document(b"<html>not an API server</html>"),
    "no-list": a_document(["not", "a", "list"]),
    "no-items": a_document({"metadata": {"resourceVersion": "100"}, "items": "none"}),
    "no-metadata": a_document({"items": []}),
    "goes-in-circles": a_list("a", **{"continue": "the same"}),
    "gone-in-the-middle": gone_in_the_middle,
}
WATCH_FAULTS: dict[str, Answer] = {
    **{str(status): a_refusal(status) for status in (401, 403, 410, 429, 500)},
    "hangs-up": hang_up,
    "closes": a_stream(),
    "breaks": a_stream(then="break"),
    "gone-event": a_stream({"type": "ERROR", "object": {"code": 410, "message": "too old version"}}),
    "error-event": a_stream({"type": "ERROR", "object": {"code": 500, "message": "etcd is sick"}}),
    "error-events": a_stream(*[{"type": "ERROR", "object": {"code": 500, "message": "sick"}}] * 1000),
    "error-without-sense": a_stream({"type": "ERROR", "object": {"code": "sick"}}),
    "garbage": a_stream(b"<html>not an API server</html>\n"),
    "no-json-event": a_stream(b'"no event"\n', b"17\n"),
    "no-event": a_document({"not": "an event"}),
    "no-object": a_document("not even an object"),
    "one-event": _one_more_event,
    "one-event-then-garbage": _one_event_then_garbage,
}
# How a server that streams lists may fail at it; its pages fail too, by 500.
STREAM_FAULTS: dict[str, Answer] = {
    name: fault for name, fault in WATCH_FAULTS.items() if not name.startswith("one-event")
}


@pytest.mark.parametrize("fault", WATCH_FAULTS.values(), ids=WATCH_FAULTS)
def test_no_connection_is_left_open_and_no_two_watches_last_alike(
    fault: Answer, server: FaultyServer, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MIN_INTERVAL_S", "SHORT_WAIT_S"):
        monkeypatch.setattr(pace, name, 0.001)
    server.watches = fault
    with _following(server, sink):
        until(lambda: len(_watches(server)) >= 40)
        assert len(server.connections) <= 3
    assert len({request.query["timeoutSeconds"] for request in _watches(server)}) > 4


def test_a_quiet_watch_that_worked_ends_the_outage_before_it(
    server: FaultyServer, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an API server that restarts each hour would meet ever longer waits where nothing happens."""
    for name, seconds in {"MIN_INTERVAL_S": 0.01, "SHORT_WAIT_S": 0.02, "SHORT_OUTAGE_S": 0.5}.items():
        monkeypatch.setattr(pace, name, seconds)
    monkeypatch.setattr(module, "_WORKING_S", 0.1)

    def quiet_then_cut(handler: Any, request: Any) -> None:
        a_stream(then="break")(handler, request)
        time.sleep(0.2)

    server.watches = quiet_then_cut
    with _following(server, sink):
        until(lambda: len(_watches(server)) >= 15, within=10)


class Patient:
    """One reflector that follows one sick server."""

    def __init__(self) -> None:
        self.server, self.sink = FaultyServer(lists=a_list("a")), Sink()
        self.server.__enter__()
        self.reflector = _reflector(self.server, self.sink)

    def close(self) -> None:
        self.reflector.stop()
        self.server.__exit__()


@pytest.fixture
def patients() -> Iterator[dict[str, Patient]]:
    """One for each way to be sick, all at the same time, for each is watched for seconds."""
    made: dict[str, Patient] = {}
    for where, faults in (("list", LIST_FAULTS), ("watch", WATCH_FAULTS), ("stream", STREAM_FAULTS)):
        for name, fault in faults.items():
            made[f"{where} {name}"] = patient = Patient()
            if where == "list":
                patient.server.lists = fault
            elif where == "watch":
                patient.server.watches = fault
            else:
                patient.server.streams, patient.server.lists = fault, a_refusal(500)
    yield made
    for patient in made.values():
        patient.close()


def test_no_fault_makes_it_ask_more_than_once_a_second_and_it_recovers_from_each(
    patients: dict[str, Patient],
) -> None:
    for patient in patients.values():
        patient.reflector.start()
    time.sleep(_FAULT_S)
    asked = {
        name: (patient.server.count(watch=False), patient.server.count(watch=True))
        for name, patient in patients.items()
    }
    # A list that is gone in the middle had one page more.
    most = {name: 2 + _FAULT_S if "middle" in name else 1 + _FAULT_S for name in asked}
    assert {name: counts for name, counts in asked.items() if max(counts) > most[name]} == {}
    assert {name: counts for name, counts in asked.items() if sum(counts) < 2} == {}
    for patient in patients.values():
        patient.server.lists = a_list("a", "b", version="200")
        patient.server.streams = a_refusal(422)
        patient.server.watches = a_stream(event("ADDED", "b", 201), then="hang")
    for name, patient in patients.items():
        until(lambda sink=patient.sink: sink.views == {"a": "plain", "b": "plain"}, 4, name)  # type: ignore[misc]
        until(lambda each=patient.reflector: each.problem == "", 3, name)  # type: ignore[misc]


def test_an_expired_version_ends_in_a_fresh_list(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.lists = a_list("a", "b")
    server.watches = a_refusal(410)
    reflector.start()
    until(lambda: "gone" in sink.restarts)
    server.lists = a_list("b", "c", version="900")
    server.watches = a_stream(then="hang")
    until(lambda: sink.views == {"b": "plain", "c": "plain"})


def test_where_a_watch_is_refused_for_good_the_list_is_read_again(
    server: FaultyServer, sink: Sink, reflector: Reflector[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIST_INSTEAD_S", 0.5)
    server.lists = a_list("a")
    server.watches = a_refusal(403)
    reflector.start()
    until(lambda: sink.lists == 1)
    server.lists = a_list("a", "b", version="200")
    until(lambda: sink.views == {"a": "plain", "b": "plain"}, within=8)


def test_a_connection_that_went_silent_is_given_up_and_opened_again(
    server: FaultyServer, sink: Sink, reflector: Reflector[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WATCH_S", (0, 0))
    monkeypatch.setattr(module, "_SPARE_S", 0.5)
    server.lists = a_list("a")
    reflector.start()
    until(lambda: "lost" in sink.restarts)
    server.watches = a_stream(event("ADDED", "b", 101), then="hang")
    until(lambda: sink.views == {"a": "plain", "b": "plain"})
    assert sink.lists == 1


def test_a_version_that_goes_back_is_a_doubt_that_ends_in_a_fresh_list(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.lists = a_list("a", version="500")
    server.watches = a_stream(event("ADDED", "old", 7), then="hang")
    reflector.start()
    until(lambda: sink.lists >= 2)
    assert sink.views == {"a": "plain"}
    assert sink.restarts[0] == "doubt"


def test_one_malformed_node_harms_only_itself(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    server.lists = a_document(
        {
            "metadata": {"resourceVersion": "100"},
            "items": [
                {"metadata": {"name": "bad"}, "spec": {"providerID": "malformed"}},
                "no object at all",
                None,
                {"metadata": {"name": "a"}},
            ],
        }
    )
    server.watches = a_stream(
        event("MODIFIED", "a", 101, spec={"providerID": "malformed"}), event("ADDED", "b", 102), then="hang"
    )
    reflector.start()
    until(lambda: sink.views == {"a": "plain", "b": "plain"})
    assert sink.lists == 1


def test_a_heartbeat_that_changes_nothing_we_keep_is_not_told(
    server: FaultyServer, sink: Sink, reflector: Reflector[str]
) -> None:
    told: list[str] = []
    sink.changed = lambda name, view: told.append(name)  # type: ignore[method-assign]  # noqa: ARG005
    server.lists = a_list("a")
    server.watches = a_stream(event("MODIFIED", "a", 101, beat=1), event("ADDED", "b", 102), then="hang")
    reflector.start()
    until(lambda: told == ["b"])


def test_a_stop_ends_a_watch_that_waits_at_once(server: FaultyServer, reflector: Reflector[str]) -> None:
    reflector.start()
    until(lambda: server.count(watch=True) == 1)
    time.sleep(0.1)
    began = time.monotonic()
    reflector.stop()
    reflector._thread.join(5)
    assert not reflector._thread.is_alive()
    assert time.monotonic() - began < 0.5
