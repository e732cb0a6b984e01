"""The AWS API of the sandbox: moto behind a thin front that enforces IAM, and an ELBv2 of its own.

What of AWS holds here and what does not is listed in docs/sandbox-cloud.md. "facts N" in a docstring or
comment names the section of facts.md that a rule comes from; "model" is botocore's elbv2 service model.
"""
