"""Start the offline provider as a plugin process, `pulumi-resource-aws`."""

from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.service import serve

if __name__ == "__main__":
    serve(AwsProvider)
