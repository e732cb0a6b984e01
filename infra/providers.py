"""Which AWS provider a component's reads must use: the one that its resources get."""

import pulumi


def aws_provider(opts: pulumi.ResourceOptions | None) -> pulumi.ProviderResource | None:
    """The AWS provider of `opts`, else of the parent in it; None where the default one will serve.

    The SDK finds it for a component's children. The reads come before the component is registered, so that a
    wrong argument stops the program first; so it is looked for here in the SDK's own order.
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
