"""Forms that registries, Kubernetes and AWS refuse: image references, quantities, tags."""

from typing import Any

import pytest

from tests.unit.infra.test_settings import MINIMAL, changed, lines, read

ZEROS = "0" * 64
WRONG_IMAGES = [
    "Team/app:1",
    "registry.example.com/Team/app:1",
    "Node-nlb-sync:dev",
    "app:",
    "app@",
    "app:a:b",
    f"app@sha256:{ZEROS}@sha256:{ZEROS}",
    f"app@sha256:{ZEROS[1:]}",
    f"app@sha256:{'A' * 64}",
    "my app:1",
    " app:1",
    "app:1\n",
    "a..b/c",
    "a___b",
    "-a",
    "a-",
    "a//b",
    "https://registry.example.com/a",
    f"app:{'x' * 129}",
    "a" * 400,
]
IMAGES = [
    "app",
    "a__b--c.d:V1.0_x-",
    "Registry.Example.com:5000/team/app:1",
    "registry:5000/app",
    "localhost/app",
    "[fd00::1]:5000/app",
    f"app:1@sha256:{ZEROS}",
    f"app@sha512:{ZEROS}{ZEROS}",
    f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:{ZEROS}",
]
WRONG_REPOSITORIES = [
    "docker.io/Team/name",
    "docker.io/team/name:",
    "docker.io/team/name:1",
    f"docker.io/team/name@sha256:{ZEROS}",
    "docker.io/team name",
    "docker.io/team/a..b",
    "docker.io/team/name/",
    "docker.io/" + "a" * 250,
]
REPOSITORIES = ["docker.io/team/name", "localhost:5000/x", "registry:5000/a/b/c", "ghcr.io/a-b/c_d"]


def syncer(**keys: Any) -> dict[str, Any]:
    return changed(lambda config: config["syncer"].update(keys))


def building(**keys: str) -> dict[str, Any]:
    return {**MINIMAL, "syncer": {"build": keys}}


def resources(name: str, request: str, limit: str) -> dict[str, Any]:
    return syncer(resources={"requests": {name: request}, "limits": {name: limit}})


@pytest.mark.parametrize("image", WRONG_IMAGES, ids=range(len(WRONG_IMAGES)))
def test_a_malformed_image_reference_is_refused(image: str) -> None:
    for config, path in ((syncer(image=image), "image"), (building(base=image), "build.base")):
        (line,) = lines(config)
        assert line.startswith(f"node-nlb-sync:syncer.{path}: read ")
        assert "; allowed: an image reference; fix: pulumi config set --path " in line


@pytest.mark.parametrize("image", IMAGES, ids=range(len(IMAGES)))
def test_an_image_reference_is_accepted(image: str) -> None:
    assert read(syncer(image=image)).syncer.image == image
    assert read(building(base=image)).syncer.build.base == image


@pytest.mark.parametrize("repository", WRONG_REPOSITORIES, ids=range(len(WRONG_REPOSITORIES)))
def test_a_malformed_repository_is_refused(repository: str) -> None:
    (line,) = lines(building(repository=repository))
    assert line.startswith("node-nlb-sync:syncer.build.repository: read ")
    assert "; allowed: REGISTRY/NAME without a tag" in line


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_a_repository_is_accepted(repository: str) -> None:
    assert read(building(repository=repository)).syncer.build.repository == repository


@pytest.mark.parametrize(
    ("name", "request_", "limit"),
    [
        ("cpu", "1", "500m"),
        ("cpu", "0.501", "500m"),
        ("memory", "1Gi", "1G"),
        ("memory", "1.5Mi", "1572863"),
        ("memory", "1000M", "1k"),
    ],
)
def test_a_request_above_its_limit_is_refused(name: str, request_: str, limit: str) -> None:
    path = f"syncer.resources.requests.{name}"
    (line,) = lines(resources(name, request_, limit))
    typed = "--type string " if limit.isdigit() else ""  # or the CLI would store a number
    assert line == (
        f'node-nlb-sync:{path}: read "{request_}"; allowed: at most syncer.resources.limits.{name}, '
        f"{limit}; fix: pulumi config set {typed}--path 'node-nlb-sync:{path}' {limit}"
    )


def test_a_limit_below_the_default_request_is_refused() -> None:
    (line,) = lines(syncer(resources={"limits": {"memory": "128Mi"}}))
    assert 'requests.memory: read "200Mi"; allowed: at most syncer.resources.limits.memory, 128Mi' in line


@pytest.mark.parametrize(
    ("name", "request_", "limit"),
    [
        ("cpu", "0.5", "500m"),
        ("cpu", "0", "1.125"),
        ("memory", "1G", "1Gi"),
        ("memory", "1572864", "1.5Mi"),
        ("memory", "0", "1Ei"),
    ],
)
def test_a_request_up_to_its_limit_is_accepted(name: str, request_: str, limit: str) -> None:
    assert getattr(read(resources(name, request_, limit)).syncer.resources.limits, name) == limit


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("memory", text) for text in ("400m", "200MB", "200 Mi", "200mi", "-1", "", "lots", "1Ki2")),
        *(("cpu", text) for text in ("0.0001", "0.5m", "2Gi", "half", "1,5")),
    ],
)
def test_what_is_not_a_quantity_is_refused(name: str, text: str) -> None:
    (line,) = lines(syncer(resources={"limits": {name: text}}))
    assert line.startswith(f'node-nlb-sync:syncer.resources.limits.{name}: read "{text}"; allowed: ')


@pytest.mark.parametrize("key", ["AWS:x", "Aws:createdBy", "a" * 129, "", "a*b", "team\t", "a\U0001f600"])
def test_a_tag_key_that_aws_refuses_is_refused(key: str) -> None:
    (line,) = lines({**MINIMAL, "tags": {key: "y"}})
    assert line.startswith("node-nlb-sync:tags")
    assert ": read the key " in line


@pytest.mark.parametrize(
    "value", ["a" * 257, "a,b", "a;b", "100%", "a\nb", "a&b", "(c)", "[d]", "a\x9f", "a\U0001f600"]
)
def test_a_tag_value_that_aws_refuses_is_refused(value: str) -> None:
    (line,) = lines({**MINIMAL, "tags": {"k": value}})
    assert line.startswith("node-nlb-sync:tags.k: read ")


def test_tags_that_aws_accepts_are_accepted() -> None:
    tags = {"a" * 128: "b" * 256, "Kostenstelle \u00fc\u4e2d \u0663": "_.:/=+-@ x", "aws": ""}
    assert read({**MINIMAL, "tags": tags}).tags == tags


def test_tags_that_differ_in_case_alone_are_one_line() -> None:
    (line,) = lines({**MINIMAL, "tags": {"Team": "a", "team": "b"}})
    assert line == (
        'node-nlb-sync:tags.team: read the key "team" beside "Team"; allowed: keys that differ in more than '
        "case; fix: pulumi config rm --path 'node-nlb-sync:tags.team'"
    )


def test_the_tags_of_the_stack_count() -> None:
    """A created address has three tags of the stack, of which the user may give the name; others one."""
    tags = {f"k{number}": "v" for number in range(47)}
    own = changed(lambda c: c["zones"]["eu-central-1a"].update(allocationId="eipalloc-0123456789abcdef2"))
    read({**MINIMAL, "tags": tags})
    read({**MINIMAL, "tags": {**tags, "Name": "own"}})
    (line,) = lines({**MINIMAL, "tags": {**tags, "more": "v"}})
    assert line == (
        "node-nlb-sync:tags: read 48 tags, and 3 tags of the stack on each address; "
        "allowed: at most 50 on a resource; fix: remove 1 of the tags"
    )
    read({**own, "tags": {**tags, **dict.fromkeys("ab", "v")}})
    (line,) = lines({**own, "tags": {**tags, **dict.fromkeys("abc", "v")}})
    assert line.startswith("node-nlb-sync:tags: read 50 tags, and 1 tag of the stack on the load balancer; ")
