"""`pulumi-resource-aws`: starts the offline provider as a plugin process."""

from sandbox.plugins.aws.provider import AwsProvider
from sandbox.plugins.service import serve

if __name__ == "__main__":
    serve(AwsProvider)
