"""`pulumi-resource-aws`: starts the offline provider as a plugin process."""

from sandbox.engine.aws.provider import AwsProvider
from sandbox.engine.service import serve

if __name__ == "__main__":
    serve(AwsProvider)
