"""The page and its facts as the real process serves them."""

from urllib.request import urlopen

from sandbox.layout import HOST
from tests.integration.syncer.household import Household
from tests.waiting import eventually


def test_the_process_serves_its_page_and_the_facts_for_it(home: Household) -> None:
    home.join("front-a")
    syncer = home.syncer()
    eventually(lambda: syncer.ready and home.filled_with("front-a"), 30)
    with urlopen(f"http://{HOST}:{syncer.port}/", timeout=5) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert b"<table" in answer.read()

    def healthy() -> bool:
        home.check_health()
        return [group["healthy"] for group in syncer.status["groups"]] == [1, 1]

    eventually(healthy, 15)
    told = syncer.status
    assert [(each["node"], each["verdict"], each["reason"]) for each in told["nodes"]] == [
        ("front-a", "in", "Ready")
    ]
    assert told["sentences"]["Ready"].startswith("a node")
    assert all(group["last_good_pass_age"] < 60 for group in told["groups"])
    assert all(each["next"] == "nothing" for group in told["groups"] for each in group["targets"])
