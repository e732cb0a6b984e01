"""The AWS provider for a component's reads: the provider of its resources."""

import pulumi


def aws_provider(opts: pulumi.ResourceOptions | None) -> pulumi.ProviderResource | None:
    """Return the AWS provider of `opts`, else of the parent in `opts`; None for the default provider.

    The SDK resolves the provider for a component's children. Reads precede the component's registration, so
    that a wrong argument stops the program first; the search order here is the SDK's.
    """
    if opts is None:
        return None
    several = opts.providers or []
    given: list[pulumi.ProviderResource | None] = [
        opts.provider,
        *(several.values() if isinstance(several, dict) else several),
    ]
    for each in given:
        if each is not None and each.package == "aws":
            return each
    if opts.parent is None:
        return None
    inherited: pulumi.ProviderResource | None = opts.parent.get_provider("aws:ec2/getSubnet:getSubnet")
    return inherited
