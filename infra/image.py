"""The syncer's image: given, or the bundled image, built and pushed by `pulumi up`."""

import hashlib
import json
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_aws import ecr

from .buildkeys import Build
from .component import Component
from .keys import Settings

# Pulumi's docker-build provider; the engine downloads the plugin when a stack first builds.
PLUGIN_VERSION: Final = "0.0.22"
KEPT: Final = 20  # tagged images, so that a rollback finds the images of the last deployments
DOCKERFILE: Final = "Dockerfile"


class DockerImage(pulumi.CustomResource):
    """`docker-build:index:Image` with the names of its schema, without a dependency on its SDK."""

    ref: pulumi.Output[str]
    """The reference with tag and digest; in the preview of a build without a digest."""

    def __init__(self, name: str, args: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("docker-build:index:Image", name, {**args, "ref": None}, opts)


class BuiltImage(Component):
    """`reference`: the bundled image by digest, in an ECR repository or in the given repository."""

    TYPE = "node-nlb-sync:image:BuiltImage"

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        build = settings.syncer.build
        after: list[pulumi.Resource] = []
        if build.repository is None:
            made = self._repository(name, settings)
            after.append(made)
            repository: pulumi.Input[str] = made.repository_url
            registries: Any = [self._login(made)]
        else:
            repository = build.repository
            registries = [login(repository, build.username, build.password)] if build.username else []
        self.reference = self._build(name, build, repository, registries, after)
        self.register_outputs({"reference": self.reference})

    def _repository(self, name: str, settings: Settings) -> ecr.Repository:
        """Create the repository; `pulumi destroy` deletes the images too and would otherwise be refused."""
        repository = ecr.Repository(
            name,
            force_delete=True,
            image_scanning_configuration=ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            image_tag_mutability="IMMUTABLE",
            tags=settings.tags,
            opts=self.beneath(),
        )
        ecr.LifecyclePolicy(name, repository=repository.name, policy=lifecycle(), opts=self.beneath())
        return repository

    def _login(self, repository: ecr.Repository) -> dict[str, Any]:
        token = ecr.get_authorization_token_output(
            registry_id=repository.registry_id, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return {
            "address": repository.repository_url,
            "username": token.user_name,
            "password": pulumi.Output.secret(token.password),
        }

    def _build(
        self,
        name: str,
        build: Build,
        repository: pulumi.Input[str],
        registries: Sequence[Any],
        after: Sequence[pulumi.Resource],
    ) -> pulumi.Output[str]:
        """Register the build; the registry keeps the image when Pulumi replaces or deletes the resource.

        Pods of the previous Deployment may still pull the old image. With an unchanged digest, the provider
        would delete the new image with the old image (pulumi-docker-build#606).
        """
        context = context_path()
        arguments: dict[str, pulumi.Input[str]] = {} if build.base is None else {"BASE": build.base}
        base: pulumi.Output[str] = pulumi.Output.from_input(build.base or "")
        tag = base.apply(lambda known: content(context, build.platforms, known))
        image = DockerImage(
            name,
            {
                "push": True,
                "buildOnPreview": False,
                "context": {"location": os.path.relpath(context)},
                "platforms": list(build.platforms),
                "buildArgs": arguments,
                "tags": [pulumi.Output.concat(repository, ":", tag)],
                "registries": list(registries),
            },
            self.beneath(depends_on=after, retain_on_delete=True, version=PLUGIN_VERSION),
        )
        return image.ref


def warn_without_digest(image: pulumi.Input[str], component: pulumi.Resource) -> None:
    """Warn of an image with a tag alone; a name without a registry is a local image."""

    def look(reference: str) -> None:
        if "/" in reference and "@sha256:" not in reference:
            pulumi.warn(
                "syncer.image has no digest, so another image may run under its name later; set it to "
                "NAME@sha256:DIGEST, which `docker buildx imagetools inspect NAME:TAG` prints",
                resource=component,
            )

    pulumi.Output.from_input(image).apply(look)


def context_path() -> Path:
    """Return the folder of the package `syncer`, the whole build context. Raises pulumi.RunError."""
    found = find_spec("syncer")
    places = list(found.submodule_search_locations or []) if found else []
    if places and (Path(places[0]) / DOCKERFILE).exists():
        return Path(places[0])
    raise pulumi.RunError(
        "node-nlb-sync:syncer.image: read nothing, and the package syncer is missing or has no Dockerfile; "
        "allowed: an image reference; fix: install this project's wheel, or set syncer.image"
    )


def content(context: Path, platforms: Sequence[str], base: str) -> str:
    """Return a tag of 16 hex digits for the files of the context, the platforms, and the base.

    The provider's version is included: another version may build other bytes, and a tag of ECR never moves.
    """
    digest = hashlib.sha256(json.dumps([PLUGIN_VERSION, sorted(platforms), base]).encode())
    for path in sorted(context.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"\0{path.relative_to(context).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def login(
    repository: pulumi.Input[str], username: pulumi.Input[str], password: pulumi.Input[str] | None
) -> dict[str, Any]:
    """Return credentials for the registry of a repository; the password is always secret."""
    address = pulumi.Output.from_input(repository).apply(lambda known: known.partition("/")[0])
    return {"address": address, "username": username, "password": pulumi.Output.secret(password)}


def lifecycle() -> str:
    """Return ECR's rule to expire all but the last images, as JSON."""
    rule = {
        "rulePriority": 1,
        "description": f"the last {KEPT} images",
        "selection": {
            "tagStatus": "tagged",
            "tagPatternList": ["*"],
            "countType": "imageCountMoreThan",
            "countNumber": KEPT,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
