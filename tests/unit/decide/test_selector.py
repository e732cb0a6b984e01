"""The label selector grammar, with the cases of k8s.io/apimachinery's own selector tests."""

import pytest
from hypothesis import given

from syncer.decide.selector import Selector, SelectorError
from syncer.text.quote import quoted
from tests.unit.decide.selectors import labels, selectors

MATCHES = [
    ("", {"x": "y"}, True),
    ("x=y", {"x": "y"}, True),
    ("x==y", {"x": "y"}, True),
    ("x=y,z=w", {"x": "y", "z": "w"}, True),
    ("x!=y,z!=w", {"x": "z", "z": "a"}, True),
    ("x!=y", {}, True),
    ("notin=in", {"notin": "in"}, True),
    ("in in (in,notin)", {"in": "notin"}, True),
    ("x", {"x": "z"}, True),
    ("x", {"x": ""}, True),
    ("!x", {"y": "z"}, True),
    ("! x", {"y": "z"}, True),
    ("x>1", {"x": "2"}, True),
    ("x<1", {"x": "0"}, True),
    ("x>1", {"x": "v2"}, False),
    ("x>1", {}, False),
    ("x>1", {"x": "00000000000000000000002"}, True),
    ("x>1", {"x": "9223372036854775807"}, True),
    ("x>1", {"x": "9223372036854775808"}, False),
    ("x=z", {}, False),
    ("x=y", {"x": "z"}, False),
    ("x=y,z=w", {"x": "w", "z": "w"}, False),
    ("x!=y,z!=w", {"x": "z", "z": "w"}, False),
    ("x", {"y": "z"}, False),
    ("!x", {"x": "z"}, False),
    ("x>1", {"x": "0"}, False),
    ("x<1", {"x": "2"}, False),
    ("\rx", {"x": "1"}, True),
    ("a ", {"a": "1"}, True),
    ("x=", {"x": ""}, True),
    ("x= ,z= ", {"x": "", "z": ""}, True),
    ("x=", {}, False),
    ("this-is-another-dns.domain.com/key-with-dash in (so,what)", {}, False),
    ("0.1.2.domain/99 notin (10.10.100.1, tick.tack.clock)", {"0.1.2.domain/99": "tick.tack.clock"}, False),
    ("x notin\n (abc)", {"x": "abd"}, True),
    ("x  notin\t\t\t(abc,def)", {"x": "def"}, False),
    ("x in (abc,)", {"x": ""}, True),
    ("x in ()", {"x": ""}, True),
    ("x notin (abc,,def),bar,z in (),w", {"bar": "1", "z": "", "w": "2"}, True),
    ("x notin ( )", {"x": ""}, False),
    ("x notin (, a)", {"x": ""}, False),
    ("a in (x,y,notin, z,in)", {"a": "in"}, True),
    ("x,y in (a)", {"x": "1", "y": "a"}, True),
    ("!node-role.kubernetes.io/control-plane", {"node-role.kubernetes.io/control-plane": ""}, False),
    ("kops.k8s.io/instancegroup=critical", {"kops.k8s.io/instancegroup": "critical"}, True),
]


@pytest.mark.parametrize(("text", "labels", "expected"), MATCHES)
def test_a_selector_matches_as_kubectl_matches(text: str, labels: dict[str, str], *, expected: bool) -> None:
    assert Selector.parse(text).matches(labels) is expected


WRONG = [
    "x=a||y=b",
    "x==a==b",
    "!x=a",
    "x<a",
    "x>1.5",
    "x>9223372036854775808",
    "x,,y",
    ",x,y",
    "x nott in (y)",
    "a in (xyz),",
    "a in (xyz)b notin ()",
    "a in (xyz abc)",
    "a notin(",
    "a (",
    "(",
    "x in a",
    "!",
    "!!x",
    "=a",
    "x=a b",
    "UPPER.example.com/x",
    "a/b/c",
    "/x",
    "x/",
    "-x",
    "x=-a",
    "a" * 64,
    "x=" + "a" * 64,
    "a" * 254 + "/x",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_the_api_server_refuses_is_refused_in_one_line_that_names_it(text: str) -> None:
    with pytest.raises(SelectorError) as refused:
        Selector.parse(text)
    assert "\n" not in str(refused.value)
    assert quoted(text) in str(refused.value)
    assert "malformed label selector" in str(refused.value)


def test_the_error_says_what_was_found_and_what_was_expected() -> None:
    with pytest.raises(SelectorError, match=r"found 'b', expected ',' or the end"):
        Selector.parse("x=a b")


@given(text=selectors(), of_a_node=labels())
def test_the_query_for_the_api_server_means_the_same(text: str, of_a_node: dict[str, str]) -> None:
    selector = Selector.parse(text)
    queried = Selector.parse(selector.as_query())
    assert queried.requirements == selector.requirements
    assert queried.matches(of_a_node) is selector.matches(of_a_node)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", ""),
        ("pool = web", "pool in (web)"),
        ("pool!=web , !spot", "pool notin (web),!spot"),
        ("zone in (b, a,),a.io/gpu,cpu>4", "zone in (,a,b),a.io/gpu,cpu>4"),
        ("x in ()", "x in ()"),
    ],
)
def test_the_query_is_set_based(text: str, query: str) -> None:
    assert Selector.parse(text).as_query() == query
