"""The arguments of `NodeNlb`, as types; written from infra/keys.py by infra/reference.py."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi


class Zone(TypedDict):
    """Where the load balancer stands in one availability zone, and on which address."""

    subnet_id: pulumi.Input[str]
    """The public subnet of the load balancer in this zone; it makes the nodes of the zone reachable.
    Allowed: the id of a subnet of this zone."""
    allocation_id: NotRequired[pulumi.Input[str]]
    """An existing Elastic IP; absent: the stack creates an Elastic IP. Allowed: the allocation id of an
    unused Elastic IP."""
    private_address: NotRequired[str]
    """The address of an internal load balancer; without it AWS chooses one. Allowed: a free IPv4 address
    of the subnet."""


class Edge(TypedDict):
    """The load balancer of another stack, which forwards to this stack's groups."""

    security_group_id: NotRequired[pulumi.Input[str]]
    """The load balancer's security group, the output securityGroupId of its stack. The stack then creates
    target groups, firewall rules, identity, Service and syncer, and no load balancer. Allowed: the id of
    a security group."""


class Attachment(TypedDict):
    """The target groups of another stack, and their share of the new connections."""

    weight: int
    """The share of new connections, in proportion to the other weights; with 0 the targets are checked
    and get none. Allowed: 0 to 999."""
    target_groups: Mapping[str, pulumi.Input[str]]
    """The output targetGroups of the other stack."""


class AccessLogs(TypedDict):
    """Logs of TLS requests, in an S3 bucket."""

    enabled: NotRequired[bool]
    """true writes logs to `bucket`, false turns logs off, absent: not managed. AWS logs connections of
    TLS listeners only."""
    bucket: NotRequired[pulumi.Input[str]]
    """A bucket of the same Region with a policy for delivery.logs.amazonaws.com. Allowed: the name of an
    S3 bucket."""
    prefix: NotRequired[str]
    """The folder in the bucket. Allowed: a path without a slash at its ends, at most 255 characters;
    empty for none."""


class LoadBalancer(TypedDict):
    """Scheme, name and attributes of the load balancer."""

    scheme: NotRequired[str]
    """internal: private addresses without Elastic IPs, for clients inside the VPC. Allowed:
    internet-facing or internal."""
    ip_address_type: NotRequired[str]
    """dualstack: clients connect over IPv6 too, and the load balancer translates to the nodes' IPv4
    addresses. IPv6 networks of clients belong in clientCidrs. Allowed: ipv4 or dualstack."""
    name: NotRequired[str]
    """The name in AWS; absent: node-nlb- and a random suffix. Allowed: 1 to 32 letters, digits and
    hyphens, without a hyphen at the ends and without internal- at the start."""
    deletion_protection: NotRequired[bool | None]
    """true makes AWS refuse to delete the load balancer, also by `pulumi destroy` or for a
    replacement."""
    zonal_shift: NotRequired[bool | None]
    """true allows Application Recovery Controller to shift a zone away."""
    dns_client_routing: NotRequired[str | None]
    """The zones in DNS answers to clients inside the VPC: any zone, the client's zone in 85 percent of
    the answers, or only the client's zone. Allowed: any_availability_zone,
    partial_availability_zone_affinity or availability_zone_affinity, or null: not managed."""
    minimum_capacity: NotRequired[int | None]
    """Reserved capacity, 2.2 Mbit/s a unit, charged while reserved; 0 for none. AWS allows no reservation
    with TLS listeners, and two decreases a day. Allowed: 0 to 1000000 capacity units (LCU), or null: not
    managed."""
    enforce_private_link: NotRequired[bool]
    """false exempts traffic of PrivateLink endpoints from the security groups' inbound rules; absent:
    AWS's value, true by default."""
    access_logs: NotRequired[AccessLogs]
    """Logs of TLS requests, in an S3 bucket."""
    security_group_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Further security groups of the load balancer. The stack does not change their rules. Allowed: a
    list of security group ids."""
    client_prefix_lists: NotRequired[Sequence[str]]
    """Prefix lists of clients beside clientCidrs. Each counts with its maximum of entries against AWS's
    quota of 60 rules. Allowed: a list of prefix list ids."""


class ListenerHealthCheck(TypedDict):
    """In place of keys of healthCheck, for this group."""

    service_port: NotRequired[str]
    """The name of the ingress port whose NodePort answers the check. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    port: NotRequired[str]
    """In place of servicePort: kube-proxy (port 10256, path /healthz; unhealthy on a node that the
    autoscaler deletes), local (healthCheckNodePort of a Service with externalTrafficPolicy Local: only
    nodes with a ready Pod of the ingress controller are healthy), traffic-port (the NodePort of the
    target), or the number of a port on the nodes. The stack opens the port in the node security groups.
    Allowed: kube-proxy, local, traffic-port or a port number."""
    protocol: NotRequired[str]
    """TCP checks only that the port accepts connections. HTTPS does not verify the certificate. Allowed:
    HTTP, HTTPS or TCP."""
    path: NotRequired[str]
    """Traefik answers /ping when it can serve. The default with port kube-proxy or local is /healthz.
    Allowed: a path of at most 1024 characters that begins with /."""
    interval: NotRequired[int]
    """The interval and unhealthyThreshold give the time until a dead node gets no traffic. Allowed: 5 to
    300 seconds."""
    timeout: NotRequired[int]
    """At most the interval; AWS's own default is 6. Allowed: 2 to 120 seconds."""
    healthy_threshold: NotRequired[int]
    """Successful checks in a row before a node gets traffic. Allowed: 2 to 10."""
    unhealthy_threshold: NotRequired[int]
    """Failed checks in a row before a node gets no traffic. Allowed: 2 to 10."""
    matcher: NotRequired[str]
    """The HTTP codes of a successful check. Allowed: a code, a range or a list of codes and ranges, 200
    to 599, such as 200-399."""


class ListenerGroup(TypedDict):
    """For an adopted target group: what AWS cannot change."""

    name: NotRequired[str]
    """The name in AWS; absent: that of the stack and a random suffix. A group with a name of its own
    cannot be replaced: another backendProtocol needs another name. Allowed: 1 to 32 letters, digits and
    hyphens, without a hyphen at the ends."""
    port: NotRequired[int]
    """The group's own port, which has no effect: targets are registered with the NodePort. Allowed: 1 to
    65535."""


class Listener(TypedDict):
    """A port that clients reach, and the ingress port (by name) that its connections go to."""

    name: str
    """The name of the listener and its target group; the stack uses 17 of AWS's 32 characters. Allowed: 1
    to 15 lower-case letters, digits and hyphens, a letter first."""
    port: int
    """The port that clients connect to on each static IP. Allowed: 1 to 65535."""
    service_port: str
    """The name of the ingress port that receives the connections. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    protocol: NotRequired[str]
    """TCP passes connections through, and TLS ends in the ingress controller. TLS ends at the load
    balancer, with a certificate of certificateArns. UDP and TCP_UDP (both on one port) need an ingress
    port of that protocol. Allowed: TCP, TLS, UDP or TCP_UDP."""
    certificate_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """Certificates of a TLS listener: the first by default, the others for the names in them (SNI).
    Allowed: a list of certificate ARNs."""
    ssl_policy: NotRequired[str]
    """TLS versions and ciphers of a TLS listener; absent: ELBSecurityPolicy-TLS13-1-2-Res-2021-06 (TLS
    1.2 and 1.3). Allowed: the name of an ELB security policy."""
    alpn_policy: NotRequired[str]
    """The HTTP versions that a TLS listener offers (ALPN); absent: none. Allowed: HTTP1Only, HTTP2Only,
    HTTP2Optional, HTTP2Preferred or None."""
    backend_protocol: NotRequired[str]
    """TLS encrypts again on the way to the nodes; behind a TLS listener only. Allowed: TCP or TLS."""
    idle_timeout: NotRequired[int]
    """The time until AWS closes an idle connection of a TCP listener; absent: 350, AWS's default.
    Allowed: 60 to 6000 seconds."""
    cross_zone: NotRequired[bool]
    """In place of the load balancer's crossZone for this group; absent: the same."""
    proxy_protocol: NotRequired[bool]
    """true sends the PROXY protocol (version 2) header before each connection, and before each health
    check: the ingress controller must expect it."""
    stickiness: NotRequired[bool]
    """true sends all connections of a client address to the same node."""
    health_check: NotRequired[ListenerHealthCheck]
    """In place of keys of healthCheck, for this group."""
    target_group: NotRequired[ListenerGroup]
    """For an adopted target group: what AWS cannot change."""


class Dns(TypedDict):
    """Names of the load balancer in Route 53; none by default."""

    zone_id: NotRequired[pulumi.Input[str]]
    """The hosted zone of the names, public, or private for clients inside its VPCs. Allowed: the id of a
    hosted zone."""
    names: NotRequired[Sequence[str]]
    """Names that get an alias record to the load balancer. AWS refuses a name that has a record already.
    Allowed: a list of names in the hosted zone."""
    evaluate_target_health: NotRequired[bool]
    """true: Route 53 prefers another record of the name, such as failover, while the load balancer is
    unhealthy."""


class EndpointService(TypedDict):
    """A PrivateLink endpoint service of the load balancer; off by default."""

    enabled: NotRequired[bool]
    """true creates an endpoint service, so that other VPCs and accounts reach the listeners by interface
    endpoints. While endpoints are connected, AWS removes no zone of the load balancer."""
    acceptance_required: NotRequired[bool]
    """true: each new endpoint waits until its connection is accepted."""
    allowed_principals: NotRequired[Sequence[pulumi.Input[str]]]
    """Accounts, users and roles that may create endpoints; without one, no other account may. Allowed: a
    list of ARNs, or *."""
    private_dns_name: NotRequired[str]
    """A name that endpoints may resolve to the service. AWS checks that you own the domain by a TXT
    record, named in the output endpointService. Allowed: a name in lower case without a dot at its end,
    such as www.example.com or *.apps.example.com."""


class Alarms(TypedDict):
    """CloudWatch alarms of the load balancer; off by default."""

    enabled: NotRequired[bool]
    """true creates the alarms with a threshold."""
    actions: NotRequired[Sequence[pulumi.Input[str]]]
    """SNS topics that are notified of each alarm and of its end; without one, CloudWatch alone shows the
    alarms. Allowed: a list of at most 5 ARNs of topics in the load balancer's Region."""
    minutes: NotRequired[int]
    """The time of unhealthy targets before an alarm, and the time in which errors are counted. The
    default outlasts a restart of the ingress controller. Allowed: 1 to 60 minutes."""
    unhealthy_hosts: NotRequired[int | None]
    """Alarm with more unhealthy targets of a group in a zone, for all of `minutes`. The syncer
    deregisters leaving nodes, so every unhealthy target is a fault. With healthCheck.port local, nodes
    without an ingress Pod are unhealthy: set their number. Allowed: 0 to 1000000 targets, or null: no
    such alarm."""
    rejected_flows: NotRequired[int | None]
    """Alarm with more connections that the load balancer rejects within `minutes`: each one is an error
    of a client. Allowed: 0 to 1000000 connections, or null: no such alarm."""
    port_allocation_errors: NotRequired[int | None]
    """Alarm with more connections without a free port towards a target within `minutes`, at about 55,000
    a target: more nodes help, or connections.preserveClientIp. Allowed: 0 to 1000000 errors, or null: no
    such alarm."""


class HealthCheck(TypedDict):
    """Every group, https too, is checked over HTTP, as in the predecessor."""

    service_port: NotRequired[str]
    """The name of the ingress port whose NodePort answers the check. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    port: NotRequired[str]
    """In place of servicePort: kube-proxy (port 10256, path /healthz; unhealthy on a node that the
    autoscaler deletes), local (healthCheckNodePort of a Service with externalTrafficPolicy Local: only
    nodes with a ready Pod of the ingress controller are healthy), traffic-port (the NodePort of the
    target), or the number of a port on the nodes. The stack opens the port in the node security groups.
    Allowed: kube-proxy, local, traffic-port or a port number."""
    protocol: NotRequired[str]
    """TCP checks only that the port accepts connections. HTTPS does not verify the certificate. Allowed:
    HTTP, HTTPS or TCP."""
    path: NotRequired[str]
    """Traefik answers /ping when it can serve. The default with port kube-proxy or local is /healthz.
    Allowed: a path of at most 1024 characters that begins with /."""
    interval: NotRequired[int]
    """The interval and unhealthyThreshold give the time until a dead node gets no traffic. Allowed: 5 to
    300 seconds."""
    timeout: NotRequired[int]
    """At most the interval; AWS's own default is 6. Allowed: 2 to 120 seconds."""
    healthy_threshold: NotRequired[int]
    """Successful checks in a row before a node gets traffic. Allowed: 2 to 10."""
    unhealthy_threshold: NotRequired[int]
    """Failed checks in a row before a node gets no traffic. Allowed: 2 to 10."""
    matcher: NotRequired[str]
    """The HTTP codes of a successful check. Allowed: a code, a range or a list of codes and ranges, 200
    to 599, such as 200-399."""


class TargetHealth(TypedDict):
    """What happens in a zone with too few healthy targets of a group."""

    dns_failover_count: NotRequired[int]
    """Fewer: DNS omits the zone; absent: 1. Allowed: 1 to 1000 targets."""
    dns_failover_percentage: NotRequired[int]
    """The same in percent of the targets; absent: off. Allowed: 1 to 100 percent."""
    unhealthy_routing_count: NotRequired[int]
    """Fewer: all targets get traffic, also unhealthy targets; absent: 1. Allowed: 1 to 1000 targets."""
    unhealthy_routing_percentage: NotRequired[int]
    """The same in percent of the targets; absent: off. Allowed: 1 to 100 percent."""


class Addresses(TypedDict):
    """Static IPs are in the allow-lists of clients, so they outlive the stack by default."""

    keep: NotRequired[bool]
    """Created addresses outlive the stack; the next `up` uses the same addresses."""
    protect: NotRequired[bool]
    """true refuses to destroy or replace the addresses and the load balancer."""
    public_ipv4_pool: NotRequired[str]
    """The pool of your own addresses (BYOIP) for new addresses; absent: AWS's addresses. Allowed: the id
    of a public IPv4 pool in EC2."""
    ipam_pool_id: NotRequired[str]
    """The IPAM pool for new addresses, with your own or with contiguous addresses of AWS. Allowed: the id
    of an IPAM pool."""
    release: NotRequired[Sequence[str]]
    """Removed zones whose created address `python -m infra.zones --apply` releases; no edit releases an
    address of another zone. Allowed: a list of availability zones."""


class Firewall(TypedDict):
    """The rules on the nodes' security group."""

    source: NotRequired[str]
    """load-balancer: the load balancer alone; clients: clientCidrs too; any: 0.0.0.0/0, as in the
    predecessor. Allowed: load-balancer, clients or any."""


class Connections(TypedDict):
    """The handling of established connections."""

    end_with_drain: NotRequired[bool]
    """true resets connections that are still open at the end of the deregistration delay."""
    end_when_unhealthy: NotRequired[bool]
    """true resets connections to a target that fails its check, so that clients of a dead node reconnect
    at once; false keeps the connections while the ingress controller restarts."""
    preserve_client_ip: NotRequired[bool]
    """false hides the client's address, and allows a node to call its own load balancer. UDP keeps the
    address."""


class IngressPort(TypedDict):
    """One port of the ingress Service."""

    name: str
    """Listeners and the health check refer to the port by this name. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    port: int
    """The port of the Service inside the cluster. Allowed: 1 to 65535."""
    protocol: NotRequired[str]
    """TCP_UDP makes two ports of the Service with the same number and NodePort; the second name ends with
    -udp. Allowed: TCP, UDP or TCP_UDP."""
    target_port: NotRequired[int]
    """The port of the ingress controller's Pods; absent: the same as `port`. Allowed: 1 to 65535."""
    node_port: NotRequired[int]
    """A fixed NodePort in the API server's range, by default 30000-32767; absent: the cluster allocates a
    NodePort. Allowed: 1024 to 65535."""


class Ingress(TypedDict):
    """The NodePort Service before the ingress controller."""

    preset: NotRequired[str]
    """The Helm chart of the ingress controller: values (ingress-presets.md) for keys of ingress and
    healthCheck that the stack does not set. Allowed: traefik, ingress-nginx, envoy-gateway, istio, cilium
    or haproxy."""
    create: NotRequired[bool]
    """false adopts an existing NodePort Service, without a change."""
    keep: NotRequired[bool]
    """true: the Service stays in the cluster when the stack no longer has it, so that a stack with create
    false can adopt it."""
    create_namespace: NotRequired[bool]
    """The installation of the ingress controller usually creates the namespace."""
    namespace: NotRequired[pulumi.Input[str]]
    """The namespace of the ingress controller. Allowed: a lower-case DNS label of at most 63
    characters."""
    name: NotRequired[pulumi.Input[str]]
    """The name of the Service. Allowed: a lower-case DNS label of at most 63 characters."""
    selector: NotRequired[Mapping[str, str]]
    """Labels of the ingress controller's Pods."""
    annotations: NotRequired[Mapping[str, str]]
    """Annotations of the Service."""
    ports: NotRequired[Sequence[IngressPort]]
    """The ports of the Service; for an adopted Service, the ports that listeners may refer to. Allowed: a
    list of ports."""
    health_check_node_port: NotRequired[int]
    """A fixed healthCheckNodePort beside healthCheck.port local; absent: the cluster allocates a port.
    Allowed: 1024 to 65535."""


class Build(TypedDict):
    """The build of the bundled image, in a stack without `image`."""

    repository: NotRequired[pulumi.Input[str]]
    """The repository that the image is pushed to; absent: an ECR repository is created. Allowed:
    REGISTRY/NAME without a tag, such as docker.io/team/name."""
    username: NotRequired[pulumi.Input[str]]
    """The user at the registry of `repository`. Allowed: a user's name."""
    password: NotRequired[pulumi.Input[str]]
    """The password or token at the registry of `repository`; set it with --secret. Allowed: a
    password."""
    platforms: NotRequired[Sequence[str]]
    """The platforms of the nodes. A second platform adds seconds to a build: no step is emulated.
    Allowed: a list of linux/amd64 and linux/arm64."""
    base: NotRequired[pulumi.Input[str]]
    """The base image, preferably by digest: an image with Python 3.11 or newer and venv; absent: the base
    image of the Dockerfile. Allowed: an image reference."""


class Requests(TypedDict):
    """What the syncer's container is promised."""

    cpu: NotRequired[str]
    """As in the predecessor. Allowed: CPUs as a Kubernetes quantity such as 0.5 or 500m."""
    memory: NotRequired[str]
    """As in the predecessor; 5,000 nodes need half. Allowed: bytes as a Kubernetes quantity such as
    200Mi."""


class Limits(TypedDict):
    """What the syncer's container may take."""

    cpu: NotRequired[str]
    """As in the predecessor. Allowed: CPUs as a Kubernetes quantity such as 0.5 or 500m."""
    memory: NotRequired[str]
    """As in the predecessor; 5,000 nodes need half. Allowed: bytes as a Kubernetes quantity such as
    200Mi."""


class Resources(TypedDict):
    """Requests and limits of the syncer's container."""

    requests: NotRequired[Requests]
    """A value."""
    limits: NotRequired[Limits]
    """A value."""


class Toleration(TypedDict):
    """A taint that the syncer's Pod may be placed beside."""

    key: NotRequired[str]
    """The taint's key; absent with operator Exists: all taints. Allowed: a taint key such as dedicated or
    example.com/dedicated."""
    operator: NotRequired[str]
    """Exists matches any value. Allowed: Equal or Exists."""
    value: NotRequired[str]
    """The taint's value; none with operator Exists. Allowed: a taint value of at most 63 letters, digits
    and -_.."""
    effect: NotRequired[str]
    """Absent: any effect. Allowed: NoSchedule, PreferNoSchedule or NoExecute."""


class TopologySpread(TypedDict):
    """One topology spread constraint of the syncer's Pods."""

    topology_key: str
    """The label of the nodes by which the replicas are spread. Allowed: a label key such as
    topology.kubernetes.io/zone."""
    max_skew: NotRequired[int]
    """The greatest difference in replicas between two values of the label. Allowed: 1 to 5."""
    when_unsatisfiable: NotRequired[str]
    """DoNotSchedule blocks a rollout if no node fits the new replica. Allowed: ScheduleAnyway or
    DoNotSchedule."""


class Syncer(TypedDict):
    """The controller that keeps the target groups in step with the nodes."""

    image: NotRequired[pulumi.Input[str]]
    """The syncer's image, preferably with a digest, so that the reviewed image runs. Absent: `pulumi up`
    builds and pushes the bundled image. Allowed: an image reference."""
    build: NotRequired[Build]
    """The build of the bundled image, in a stack without `image`."""
    namespace: NotRequired[pulumi.Input[str]]
    """Absent: the ingress namespace. Allowed: a lower-case DNS label of at most 63 characters."""
    name: NotRequired[str]
    """The name of the Deployment; the names of its objects begin with it. Allowed: a lower-case DNS label
    of at most 63 characters."""
    secret_name: NotRequired[str]
    """The Secret with the syncer's AWS keys and its target groups. Allowed: a lower-case DNS label of at
    most 63 characters."""
    replicas: NotRequired[int]
    """One replica writes, the other replicas stand by; 0 stops the syncer and keeps the targets. Allowed:
    0 to 5."""
    resources: NotRequired[Resources]
    """Requests and limits of the syncer's container."""
    env: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Additional environment variables, NLB_SYNC_* or AWS endpoints; `$(POD_IP)` is expanded. Values set
    with `--secret` go to a Kubernetes Secret and are not expanded."""
    image_pull_secrets: NotRequired[Sequence[str]]
    """Secrets with the credentials of the image's registry. Allowed: a list of names."""
    priority_class_name: NotRequired[str]
    """The Pods' priority class; absent: the cluster's default. Allowed: the name of a PriorityClass."""
    labels: NotRequired[Mapping[str, str]]
    """Labels of the syncer's Pods and of the objects of its Deployment."""
    annotations: NotRequired[Mapping[str, str]]
    """Annotations of the Deployment and its Pods."""
    node_selector: NotRequired[Mapping[str, str]]
    """Labels of the nodes that the syncer may run on."""
    tolerations: NotRequired[Sequence[Toleration]]
    """Taints of nodes that the syncer tolerates. Allowed: a list."""
    topology_spread: NotRequired[Sequence[TopologySpread]]
    """Topology spread constraints of the replicas; absent: different nodes are preferred. Allowed: a list
    of constraints."""
    host_network: NotRequired[bool]
    """true uses the network of the node, with its ports 8080 and 8081: one replica a node, no network
    policy, refused by PodSecurity baseline and restricted."""
    label_filter: NotRequired[str]
    """A Kubernetes label selector: only these nodes become targets; absent: all. Allowed: a label
    selector such as role=worker or !node-role.kubernetes.io/control-plane."""
    server_side_selector: NotRequired[bool]
    """true sends syncer.labelFilter to the API server, which then sends the syncer no other Node: for
    clusters above 10,000 nodes. A node that loses its label then looks like a deleted Node."""
    egress_ports: NotRequired[Sequence[int]]
    """TCP ports that the network policy opens beside DNS: those of AWS and of the API server. Allowed: a
    list of TCP ports."""


class Identity(TypedDict):
    """The credentials of the syncer's AWS calls."""

    kind: NotRequired[str]
    """pod-identity and irsa: a role for the syncer; node-role: a policy on the role of the nodes;
    user-keys: an IAM user with keys in a Secret; external: you provide the credentials. Absent:
    pod-identity with a clusterName, otherwise user-keys. Allowed: pod-identity, irsa, node-role,
    user-keys or external."""
    cluster_name: NotRequired[pulumi.Input[str]]
    """pod-identity: the EKS cluster, which needs the add-on eks-pod-identity-agent. Allowed: the name of
    an EKS cluster."""
    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """irsa: the IAM OIDC provider of the cluster's issuer, on EKS or on a self-managed cluster. Allowed:
    the ARN of an IAM OIDC provider."""
    role_name: NotRequired[pulumi.Input[str]]
    """node-role: the role of the nodes that the syncer runs on; their instance metadata needs a hop limit
    of 2. Allowed: the name of an IAM role, without its path."""
    key_generation: NotRequired[int]
    """user-keys: raise the number by one to rotate the keys; the old key is deleted after the new key is
    in use. Allowed: 1 to 1000000."""
    doctor_rights: NotRequired[bool]
    """true adds the Describe rights that `nlb-sync doctor` needs to check the target groups."""


class NodeNlbArgs(TypedDict):
    """Everything that a stack or a user of the component says."""

    vpc_id: NotRequired[pulumi.Input[str]]
    """The VPC of the cluster, and of the target groups and the load balancer's security group. Allowed:
    the id of a VPC; absent only with targetGroups."""
    zones: NotRequired[Mapping[str, Zone]]
    """A subnet and a static IP for each availability zone, by the name of the zone."""
    node_security_group_id: NotRequired[pulumi.Input[str]]
    """The security group of the nodes; the stack adds a rule for each NodePort. Allowed: the id of a
    security group; absent with nodeSecurityGroupIds, nodeSecurityGroupTags, targetGroups or cluster
    false."""
    node_security_group_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """In place of nodeSecurityGroupId for node pools with different security groups. Allowed: a list of
    security group ids."""
    node_security_group_tags: NotRequired[Mapping[str, str]]
    """Security groups of nodes by their tags, beside the ids: every group of the VPC with all of the
    tags, read in each run."""
    target_groups: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Target groups of an existing load balancer, by the name of their ingress port. The stack then
    creates only the syncer and its identity, adopts the Service, and keeps the targets of other
    owners."""
    edge: NotRequired[Edge]
    """The load balancer of another stack, which forwards to this stack's groups."""
    cluster: NotRequired[bool]
    """false makes a load balancer without a cluster: it forwards to attachments alone."""
    weight: NotRequired[int]
    """The share of the stack's own target groups beside attachments, as attachments.*.weight. Allowed: 0
    to 999."""
    attachments: NotRequired[Mapping[str, Attachment]]
    """Target groups of other stacks, by names of your choice: the listeners forward to them by weight."""
    load_balancer: NotRequired[LoadBalancer]
    """Scheme, name and attributes of the load balancer."""
    listeners: NotRequired[Sequence[Listener]]
    """The ports that clients reach; each has a target group. Allowed: a list of listeners."""
    dns: NotRequired[Dns]
    """Names of the load balancer in Route 53; none by default."""
    endpoint_service: NotRequired[EndpointService]
    """A PrivateLink endpoint service of the load balancer; off by default."""
    alarms: NotRequired[Alarms]
    """CloudWatch alarms of the load balancer; off by default."""
    health_check: NotRequired[HealthCheck]
    """Every group, https too, is checked over HTTP, as in the predecessor."""
    target_health: NotRequired[TargetHealth]
    """What happens in a zone with too few healthy targets of a group."""
    addresses: NotRequired[Addresses]
    """Static IPs are in the allow-lists of clients, so they outlive the stack by default."""
    allow_replacement: NotRequired[Sequence[str]]
    """Resources that an edit may replace. A new load balancer has a new DNS name and ARN, and there is no
    service for some minutes. Allowed: a list of: loadBalancer."""
    client_cidrs: NotRequired[Sequence[str]]
    """The clients that may connect to the listeners, by the load balancer's security group. Allowed: a
    list of networks, IPv6 with loadBalancer.ipAddressType dualstack; empty only beside
    loadBalancer.clientPrefixLists or securityGroupIds."""
    firewall: NotRequired[Firewall]
    """The rules on the nodes' security group."""
    connections: NotRequired[Connections]
    """The handling of established connections."""
    deregistration_delay: NotRequired[int]
    """The time for a leaving node to finish its connections; AWS advises at least 120 for an NLB.
    Allowed: 0 to 3600 seconds."""
    cross_zone: NotRequired[bool]
    """true spreads each static IP over the nodes of all zones, at the cost of traffic between zones and
    of a quota of 500 targets in total instead of 500 in each zone."""
    target_quota: NotRequired[int]
    """AWS's quota of targets for each zone of a load balancer, with crossZone for all zones together;
    with more nodes the syncer selects a stable subset. Allowed: 50 to 3000."""
    ingress: NotRequired[Ingress]
    """The NodePort Service before the ingress controller."""
    preset: NotRequired[str]
    """predecessor: nodeSelector, toleration and label filter of the Go project's manifests. Allowed: none
    or predecessor."""
    syncer: NotRequired[Syncer]
    """The controller that keeps the target groups in step with the nodes."""
    identity: NotRequired[Identity]
    """The credentials of the syncer's AWS calls."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of every AWS resource that supports tags."""
    labels: NotRequired[Mapping[str, str]]
    """Labels of every Kubernetes object of the stack, the syncer's Pods included; no selector has these
    labels. Labels of syncer.labels win."""
    annotations: NotRequired[Mapping[str, str]]
    """Annotations of every Kubernetes object of the stack, the syncer's Pods included. Annotations of
    ingress.annotations and syncer.annotations win."""
