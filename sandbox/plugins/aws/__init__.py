"""The offline `pulumi-resource-aws`: the official provider's behaviour for the types used by this program."""
