"""The AWS API: the calls on target groups. The only package that imports boto3."""
