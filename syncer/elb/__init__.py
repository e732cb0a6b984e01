"""The AWS side: the calls on target groups. The only package that imports boto3."""
