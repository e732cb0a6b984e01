"""The AWS API of the sandbox: moto behind a thin front that enforces IAM, and the sandbox's own ELBv2.

docs/sandbox-cloud.md lists the behaviour of AWS that is simulated, and the differences. "source N" in a
docstring or comment is the source of a rule; "model" is botocore's elbv2 service model.

1. ELBv2 API reference: RegisterTargets, DeregisterTargets, DescribeTargetHealth, TargetGroupAttribute;
   Network Load Balancer guide, "Health checks"; botocore's elbv2 model.
2. ELBv2 API reference, "Request throttling"; the client-side limits of the AWS Load Balancer Controller.
3. Network Load Balancer guide, "Quotas".
4. ELBv2 API reference: ListenerAttribute, TargetGroupAttribute.
5. Network Load Balancer guide, "Health checks": ranges and defaults of a TCP target group.
7. Network Load Balancer guide, "Security groups".
8. ELBv2 API reference: CreateLoadBalancer (SubnetMapping), SetSubnets.
9. Service authorization reference: actions, resources and condition keys of Elastic Load Balancing V2.
11. moto 5.2: its own answers, tried.
"""
