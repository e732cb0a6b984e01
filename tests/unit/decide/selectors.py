"""Label selectors in every spelling of the grammar, as hypothesis strategies."""

from hypothesis import strategies as st

KEYS = ("x", "in", "notin", "test.example.com/pool")
# Integers at the ends of 64 bits, integers of more digits, and words of the grammar.
VALUES = (
    *("", "1", "2", "007", "v2", "a.b_c-d", "in", "notin"),
    *("9223372036854775807", "9223372036854775808", "0000000000000000000000005"),
)
_INTEGERS = tuple(value for value in VALUES if value.isdecimal() and int(value) < 2**63)
_SPACE = st.sampled_from(["", " ", "\t", "\n "])


@st.composite
def _requirements(draw: st.DrawFn) -> str:
    key, space = draw(st.sampled_from(KEYS)), draw(_SPACE)
    kind = draw(st.sampled_from(["exists", "!", "=", "==", "!=", "in", "notin", ">", "<"]))
    if kind == "exists":
        return f"{space}{key}{draw(_SPACE)}"
    if kind == "!":
        return f"!{space}{key}"
    if kind in {"in", "notin"}:
        values = draw(st.lists(st.sampled_from(VALUES), max_size=4))
        between = draw(st.sampled_from([",", " ,", ", "]))
        return f"{key} {kind}{space}({between.join(values)}{draw(_SPACE)})"
    value = draw(st.sampled_from(_INTEGERS if kind in {">", "<"} else VALUES))
    return f"{key}{space}{kind}{draw(_SPACE)}{value}"


def selectors() -> st.SearchStrategy[str]:
    """The text of a selector with one to four requirements, also several of one key."""
    return st.lists(_requirements(), min_size=1, max_size=4).map(",".join)


def labels() -> st.SearchStrategy[dict[str, str]]:
    """Labels of a Node with the keys and values of the selectors."""
    return st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
