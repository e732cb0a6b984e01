import re
from dataclasses import fields

import pytest

from sandbox.toolchain import ToolchainError, pins
from sandbox.toolchain.pins import WRAPPERS

KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")
SOURCES = {
    "pulumi": "github.com/pulumi/pulumi/pkg/v3",
    "etcd": "go.etcd.io/etcd/server/v3",
    **dict.fromkeys(KUBERNETES, "k8s.io/kubernetes"),
    "pulumi-language-yaml": "github.com/pulumi/pulumi-yaml",
    "helm": "helm.sh/helm/v4",
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_wrapper_module_requires_the_version_that_is_pinned(name: str) -> None:
    tool = pins.load().tool(name)
    wanted = (tool.build.module / "go.mod").read_text()
    assert re.search(
        rf"^\s*(require )?{re.escape(SOURCES[name])} v{re.escape(tool.version)}\b", wanted, re.MULTILINE
    )


@pytest.mark.parametrize("name", SOURCES)
def test_the_wrapper_module_names_the_package_that_is_built_as_its_tool(name: str) -> None:
    tool = pins.load().tool(name)
    named = (tool.build.module / "go.mod").read_text()
    assert re.search(rf"^(tool |\t){re.escape(tool.build.package)}$", named, re.MULTILINE)


def test_every_staging_module_of_kubernetes_is_replaced_by_its_published_version() -> None:
    version = pins.load().tool("kube-apiserver").version
    lines = re.findall(
        r"^\t(k8s\.io/\S+) => (\S+) (\S+)$", (WRAPPERS / "kubernetes/go.mod").read_text(), re.MULTILINE
    )
    assert {old: (new, at) for old, new, at in lines} == {
        old: (old, f"v0.{version.removeprefix('1.')}") for old, _, _ in lines
    }
    assert len(lines) == 33  # the replacements in the go.mod of k8s.io/kubernetes v1.36.3


@pytest.mark.parametrize("wrapper", ["pulumi", "etcd", "kubernetes", "pulumi-yaml", "helm"])
def test_the_oldest_go_is_new_enough_for_every_wrapper(wrapper: str) -> None:
    line = re.search(r"^go (\d+)\.(\d+)", (WRAPPERS / wrapper / "go.mod").read_text(), re.MULTILINE)
    assert line
    assert (int(line[1]), int(line[2])) <= pins.load().go_minimum
    assert (WRAPPERS / wrapper / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_address_is_https_and_filled_in(platform: str) -> None:
    releases = [tool.release for tool in pins.load(platform).tools.values() if tool.release]
    addresses = [address for release in releases for address in (release.url, release.checksums_url)]
    assert addresses
    assert all(re.fullmatch(r"https://[^{}]+", address) for address in addresses)


def test_kubernetes_is_downloaded_for_linux_and_built_elsewhere() -> None:
    there = {name: bool(pins.load("linux-arm64").tool(name).release) for name in SOURCES}
    assert there == dict.fromkeys(SOURCES, True)
    there = {name: bool(pins.load("darwin-arm64").tool(name).release) for name in SOURCES}
    assert there == dict.fromkeys(SOURCES, True) | dict.fromkeys(KUBERNETES, False)


def test_tools_of_single_tests_are_prepared_only_when_they_are_named() -> None:
    assert set(pins.load().default) == set(SOURCES) - {"pulumi-language-yaml", "helm"}


def test_an_unknown_platform_has_no_release_of_anything() -> None:
    assert [tool.release for tool in pins.load("plan9-mips").tools.values()] == [None] * 7


def test_the_scheduler_differs_from_the_api_server_in_its_name_alone() -> None:
    tools = pins.load("linux-amd64")
    server, scheduler = tools.tool("kube-apiserver"), tools.tool("kube-scheduler")
    assert scheduler.release
    assert server.release
    assert scheduler.release.url == server.release.url.replace("kube-apiserver", "kube-scheduler")
    assert scheduler.build.package == "k8s.io/kubernetes/cmd/kube-scheduler"
    assert [f.name for f in fields(server) if getattr(server, f.name) != getattr(scheduler, f.name)] == [
        "name",
        "release",
        "build",
    ]


def test_a_built_kubernetes_tells_its_release_and_not_v0_0_0_master() -> None:
    flags = pins.load().tool("kube-apiserver").build.ldflags
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion=v1.36.3" in flags
        assert f"-X {package}.gitMajor=1" in flags
        assert f"-X {package}.gitMinor=36" in flags


def test_an_unknown_tool_is_refused_by_naming_the_known_ones() -> None:
    with pytest.raises(ToolchainError, match=r"unknown tool: 'kubelet'.*pulumi, etcd, kube-apiserver"):
        pins.load().tool("kubelet")
