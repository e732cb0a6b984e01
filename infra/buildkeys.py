"""The keys for building the syncer's image, where no image is given."""

from dataclasses import dataclass
from typing import Final

import pulumi

from syncer.manifests.references import IMAGE, REPOSITORY

from .shapes import CHARACTER, Optional, Rows, Text, declared

PLATFORMS: Final = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The destination of the bundled image, and the inputs of the build."""

    repository: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="The repository that the image is pushed to; absent: an ECR repository is created.",
                allowed="REGISTRY/NAME without a tag, such as docker.io/team/name",
                pattern=REPOSITORY,
                example="registry.example.com/node-nlb-sync",
            )
        )
    )
    username: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="The user at the registry of `repository`.",
                allowed="a user's name",
                example="deployer",
            )
        )
    )
    password: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                secret=True,
                reason="The password or token at the registry of `repository`; set it with --secret.",
                allowed="a password",
                pattern=rf"{CHARACTER}+",
                example="<password>",
            )
        )
    )
    platforms: tuple[str, ...] = declared(
        Rows(
            item=Text(
                reason="A platform of nodes.",
                allowed="linux/amd64 or linux/arm64",
                choices=PLATFORMS,
                example=PLATFORMS[0],
            ),
            least=1,
            default=list(PLATFORMS),
            reason="The platforms of the nodes. A second platform adds seconds to a build: no step is "
            "emulated.",
            allowed="a list of linux/amd64 and linux/arm64",
        )
    )
    base: pulumi.Input[str] | None = declared(
        Optional(
            inner=Text(
                output=True,
                reason="The base image, preferably by digest: an image with Python 3.11 or newer and venv; "
                "absent: the base image of the Dockerfile.",
                allowed="an image reference",
                pattern=IMAGE,
                example="python:3.13-slim-trixie",
            )
        )
    )
