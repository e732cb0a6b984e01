"""Without an image the stack builds the bundled one, pushes it, and deploys it by digest."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.image import KEPT, PLUGIN_VERSION, content, context_path
from infra.problems import SettingsError
from tests.program.world import ROOT, Config, Record, Registered, RunProgram

KEY = "node-nlb-sync:syncer"
IMAGE, REPOSITORY = "docker-build:index:Image", "aws:ecr/repository:Repository"
# How the engine's protocol marks a secret value.
SPECIAL, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
PLATFORMS = ("linux/amd64", "linux/arm64")


def run(run_program: RunProgram, config: Config, *, preview: bool = False, **build: Any) -> Record:
    config[KEY] = {key: value for key, value in config[KEY].items() if key != "image"} | {"build": build}
    return run_program(preview=preview)


def login_of(record: Record) -> dict[str, str]:
    """The one login of the build, which is a secret as a whole."""
    wrapped = record.one(IMAGE).inputs["registries"]
    assert wrapped[SPECIAL] == SECRET
    (login,) = wrapped["value"]
    return dict(login)


def deployed(record: Record) -> str:
    template = record.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]
    return str(template["spec"]["containers"][0]["image"])


def test_a_given_image_is_used_and_nothing_is_built(record: Record) -> None:
    assert deployed(record) == "node-nlb-sync:dev"
    assert not record.of(IMAGE)
    assert not record.of(REPOSITORY)


@pytest.mark.parametrize(
    ("image", "warned"),
    [
        ("registry.example.com/node-nlb-sync:1", True),
        ("team/node-nlb-sync", True),
        ("registry.example.com/node-nlb-sync:1@sha256:" + "0" * 64, False),
        ("node-nlb-sync:dev", False),
    ],
)
def test_an_image_without_a_digest_is_used_with_a_warning(
    run_program: RunProgram, config: Config, caplog: pytest.LogCaptureFixture, image: str, warned: bool
) -> None:
    config[KEY] |= {"image": image}
    assert deployed(run_program(fresh=True)) == image
    lines = [each.getMessage() for each in caplog.records if "has no digest" in each.getMessage()]
    assert bool(lines) == warned
    assert all("docker buildx imagetools inspect" in line and "\n" not in line for line in lines)


def test_without_one_it_is_pushed_to_a_repository_of_the_stacks_own(
    run_program: RunProgram, config: Config
) -> None:
    record = run(run_program, config)
    repository = record.one(REPOSITORY).inputs
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["forceDelete"] is True
    (rule,) = json.loads(record.one("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])["rules"]
    assert rule["selection"]["countNumber"] == KEPT
    image: Registered = record.one(IMAGE)
    (tag,) = image.inputs["tags"]
    url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/node-nlb-0a1b2c3"
    assert re.fullmatch(rf"{re.escape(url)}:[0-9a-f]{{16}}", tag)
    assert deployed(record) == f"{tag}@sha256:{'0' * 64}"
    assert image.retain_on_delete


def test_a_preview_plans_the_build_and_does_not_build(run_program: RunProgram, config: Config) -> None:
    image = run(run_program, config, preview=True).one(IMAGE)
    assert image.inputs["buildOnPreview"] is False
    assert image.inputs["push"] is True
    assert (ROOT / image.inputs["context"]["location"]).resolve() == ROOT / "syncer"
    assert not Path(image.inputs["context"]["location"]).is_absolute()  # the same on every machine


def test_the_token_of_the_registry_is_secret(run_program: RunProgram, config: Config) -> None:
    record = run(run_program, config)
    others = [{k: v for k, v in each.inputs.items() if k != "registries"} for each in record.resources]
    assert "a-registry-token" not in json.dumps(others)
    login = login_of(record)
    assert (login["username"], login["password"]) == ("AWS", "a-registry-token")


def test_any_registry_may_be_named_with_credentials(run_program: RunProgram, config: Config) -> None:
    given = {"repository": "registry.example.com:5000/team/syncer", "username": "me", "password": "x"}
    record = run(run_program, config, preview=False, **given)
    assert not record.of(REPOSITORY)
    image = record.one(IMAGE).inputs
    login = login_of(record)
    assert (login["address"], login["username"]) == ("registry.example.com:5000", "me")
    assert image["tags"][0].startswith("registry.example.com:5000/team/syncer:")
    assert deployed(record).startswith(f"{image['tags'][0]}@sha256:")


def test_a_registry_without_login_gets_none(run_program: RunProgram, config: Config) -> None:
    image = run(run_program, config, repository="registry.example.com/syncer").one(IMAGE)
    assert image.inputs.get("registries", []) == []


def test_base_and_platforms_are_passed_on(run_program: RunProgram, config: Config) -> None:
    image = run(run_program, config, base="example.com/python:3.13", platforms=["linux/arm64"]).one(IMAGE)
    assert image.inputs["buildArgs"] == {"BASE": "example.com/python:3.13"}
    assert image.inputs["platforms"] == ["linux/arm64"]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("Dockerfile", "requirements.txt", "run.py"):
        shutil.copy(context_path() / name, tmp_path / name)
    return tmp_path


def test_the_tag_changes_with_every_file_platform_and_base(context: Path) -> None:
    seen = {content(context, PLATFORMS, "")}
    seen |= {content(context, PLATFORMS[:1], ""), content(context, PLATFORMS, "python:3.14")}
    (context / "run.py").write_text("pass\n")
    seen.add(content(context, PLATFORMS, ""))
    (context / "run.py").rename(context / "other.py")
    seen.add(content(context, PLATFORMS, ""))
    assert len(seen) == 5


def test_the_tag_is_the_same_for_the_same_files(context: Path) -> None:
    before = content(context, PLATFORMS, "")
    (context / "__pycache__").mkdir()
    (context / "__pycache__/cli.cpython-313.pyc").write_bytes(b"\0")
    assert content(context, tuple(reversed(PLATFORMS)), "") == before


def test_the_version_of_the_provider_is_one(run_program: RunProgram, config: Config) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", PLUGIN_VERSION)
    assert run(run_program, config).one(IMAGE).version == PLUGIN_VERSION


def test_a_secret_build_beside_an_image_is_one_line_a_key(run_program: RunProgram, config: Config) -> None:
    config[KEY] = {**config[KEY], "build": {"repository": "r.example.com/x", "password": "hunter2"}}
    run_program.secret_keys = [KEY]
    with pytest.raises(SettingsError) as refused:
        run_program()
    wrong = str(refused.value).splitlines()
    assert [line.partition(": ")[0].rpartition(".")[2] for line in wrong] == ["repository", "password"]
    assert "hunter2" not in str(refused.value)
    assert run_program.last.resources == []
