"""The arguments of `NodeNlb`, as types; written from infra/keys.py by infra/reference.py."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi


class Zone(TypedDict):
    """Where the load balancer stands in one availability zone, and on which address."""

    subnet_id: pulumi.Input[str]
    """The public subnet the load balancer stands in; its nodes in this zone become reachable. Allowed:
    the id of a subnet of this zone."""
    allocation_id: NotRequired[pulumi.Input[str]]
    """An Elastic IP that exists already; without it one is created. Allowed: the allocation id of an
    Elastic IP that is free."""


class Listener(TypedDict):
    """A port that clients reach, and the ingress port (by name) that its connections go to."""

    name: str
    """Names the listener and its target group; of AWS's 32 characters 17 are taken. Allowed: 1 to 15
    lower-case letters, digits and hyphens, a letter first."""
    port: int
    """The port that clients connect to on each static IP. Allowed: 1 to 65535."""
    service_port: str
    """The ingress port, by name, that the connections go to. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    protocol: NotRequired[str]
    """The load balancer passes connections through; TLS ends in the ingress controller. Allowed: TCP."""


class HealthCheck(TypedDict):
    """Every group, the https one too, is checked over HTTP, as the predecessor had it."""

    service_port: NotRequired[str]
    """The ingress port, by name, whose NodePort answers the check. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    path: NotRequired[str]
    """Traefik answers /ping when it can serve. Allowed: a path of at most 1024 characters that begins
    with /."""
    interval: NotRequired[int]
    """With the threshold: how soon a dead node is left. Allowed: 5 to 300 seconds."""
    timeout: NotRequired[int]
    """At most the interval; AWS's own default is 6. Allowed: 2 to 120 seconds."""
    healthy_threshold: NotRequired[int]
    """Answers in a row before a node gets traffic. Allowed: 2 to 10."""
    unhealthy_threshold: NotRequired[int]
    """Failures in a row before a node gets none. Allowed: 2 to 10."""
    matcher: NotRequired[str]
    """The HTTP codes that count as an answer. Allowed: a code, a range or a list of them, 200 to 599,
    such as 200-399."""


class Addresses(TypedDict):
    """Static IPs stand in other people's allow-lists, so they outlive the stack by default."""

    keep: NotRequired[bool]
    """Created addresses outlive the stack, and the next `up` takes them again."""
    protect: NotRequired[bool]
    """true refuses to destroy or replace the addresses and the load balancer."""
    release: NotRequired[Sequence[str]]
    """Removed zones whose created address `python -m infra.zones --apply` releases; no edit releases an
    address of another zone. Allowed: a list of availability zones."""


class Firewall(TypedDict):
    """The rules on the nodes' security group."""

    source: NotRequired[str]
    """load-balancer: only through the load balancer; clients: also clientCidrs; any: 0.0.0.0/0, as the
    predecessor had it. Allowed: load-balancer, clients or any."""


class Connections(TypedDict):
    """What happens to established connections."""

    end_with_drain: NotRequired[bool]
    """true resets what is still open when the deregistration delay is over."""
    end_when_unhealthy: NotRequired[bool]
    """true resets connections to a target that fails its check, so that clients of a dead node learn it
    at once; false spares them while the ingress controller restarts."""
    preserve_client_ip: NotRequired[bool]
    """false hides the client's address, and lets a node call its own load balancer."""


class IngressPort(TypedDict):
    """One port of the ingress Service."""

    name: str
    """By this name listeners and the health check mean the port. Allowed: a port name of at most 15
    lower-case letters, digits and hyphens."""
    port: int
    """The Service's own port inside the cluster. Allowed: 1 to 65535."""
    target_port: NotRequired[int]
    """The port of the ingress controller's Pods; absent: the same as `port`. Allowed: 1 to 65535."""
    node_port: NotRequired[int]
    """A NodePort of your choice; absent: the cluster allocates one. Allowed: 1 to 65535."""


class Ingress(TypedDict):
    """The NodePort Service before the ingress controller."""

    create: NotRequired[bool]
    """false adopts a NodePort Service that exists: it is read, never changed."""
    create_namespace: NotRequired[bool]
    """The ingress controller usually brings its namespace."""
    namespace: NotRequired[pulumi.Input[str]]
    """Where the ingress controller runs. Allowed: a lower-case DNS label of at most 63 characters."""
    name: NotRequired[pulumi.Input[str]]
    """The Service's name. Allowed: a lower-case DNS label of at most 63 characters."""
    selector: NotRequired[Mapping[str, str]]
    """The ingress controller's Pods."""
    annotations: NotRequired[Mapping[str, str]]
    """Annotations of the Service."""
    ports: NotRequired[Sequence[IngressPort]]
    """The Service's ports; of an adopted Service, those that listeners may name. Allowed: a list of
    ports."""


class Build(TypedDict):
    """How the bundled image is built, where no `image` is given."""

    repository: NotRequired[pulumi.Input[str]]
    """The repository that the image is pushed to; absent: an ECR repository is created. Allowed:
    REGISTRY/NAME without a tag, such as docker.io/team/name."""
    username: NotRequired[pulumi.Input[str]]
    """The user at the registry of `repository`. Allowed: a user's name."""
    password: NotRequired[pulumi.Input[str]]
    """The password or token at the registry of `repository`; set it with --secret. Allowed: a
    password."""
    platforms: NotRequired[Sequence[str]]
    """The nodes' platforms. The second one costs seconds: nothing is emulated. Allowed: a list of
    linux/amd64 and linux/arm64."""
    base: NotRequired[pulumi.Input[str]]
    """The base image, best by digest: any with Python 3.11 or newer and venv; absent: that of the
    Dockerfile. Allowed: an image reference."""


class Requests(TypedDict):
    """What the syncer's container is promised."""

    cpu: NotRequired[str]
    """As the predecessor had it. Allowed: CPUs as a Kubernetes quantity such as 0.5 or 500m."""
    memory: NotRequired[str]
    """As the predecessor had it; 5,000 nodes need half of it. Allowed: bytes as a Kubernetes quantity
    such as 200Mi."""


class Limits(TypedDict):
    """What the syncer's container may take."""

    cpu: NotRequired[str]
    """As the predecessor had it. Allowed: CPUs as a Kubernetes quantity such as 0.5 or 500m."""
    memory: NotRequired[str]
    """As the predecessor had it; 5,000 nodes need half of it. Allowed: bytes as a Kubernetes quantity
    such as 200Mi."""


class Resources(TypedDict):
    """What the syncer's container is promised and may take."""

    requests: NotRequired[Requests]
    """A value."""
    limits: NotRequired[Limits]
    """A value."""


class Toleration(TypedDict):
    """A taint that the syncer's Pod may be placed beside."""

    key: str
    """The taint's key. Allowed: a taint key."""
    operator: NotRequired[str]
    """Exists matches any value. Allowed: Equal or Exists."""
    value: NotRequired[str]
    """The taint's value. Allowed: a string."""
    effect: NotRequired[str]
    """Absent: any effect. Allowed: NoSchedule, PreferNoSchedule or NoExecute."""


class TopologySpread(TypedDict):
    """One topology spread constraint of the syncer's Pods."""

    topology_key: str
    """The label of the nodes by which the replicas are spread. Allowed: a label key such as
    topology.kubernetes.io/zone."""
    max_skew: NotRequired[int]
    """By how many replicas two of those places may differ. Allowed: 1 to 5."""
    when_unsatisfiable: NotRequired[str]
    """DoNotSchedule stops a rollout where the new replica finds no place. Allowed: ScheduleAnyway or
    DoNotSchedule."""


class Syncer(TypedDict):
    """The controller that keeps the target groups in step with the nodes."""

    image: NotRequired[pulumi.Input[str]]
    """The syncer's image; give a digest, so that what runs is what was reviewed. Absent: `pulumi up`
    builds and pushes the bundled one. Allowed: an image reference."""
    build: NotRequired[Build]
    """How the bundled image is built, where no `image` is given."""
    namespace: NotRequired[pulumi.Input[str]]
    """Absent: the ingress namespace. Allowed: a lower-case DNS label of at most 63 characters."""
    name: NotRequired[str]
    """The Deployment's name; what belongs to it is named after it. Allowed: a lower-case DNS label of at
    most 63 characters."""
    secret_name: NotRequired[str]
    """The Secret with the syncer's AWS keys and its target groups. Allowed: a lower-case DNS label of at
    most 63 characters."""
    replicas: NotRequired[int]
    """One of them writes, the others stand by; 0 stops the syncer and leaves the targets. Allowed: 0 to
    5."""
    resources: NotRequired[Resources]
    """What the syncer's container is promised and may take."""
    env: NotRequired[Mapping[str, pulumi.Input[str]]]
    """More environment for the syncer, NLB_SYNC_* or AWS endpoints; `$(POD_IP)` is expanded. Values set
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
    """Which nodes the syncer may run on."""
    tolerations: NotRequired[Sequence[Toleration]]
    """Which taints the syncer may run beside. Allowed: a list."""
    topology_spread: NotRequired[Sequence[TopologySpread]]
    """How the replicas are spread; without it on different nodes where there are enough. Allowed: a list
    of constraints."""
    host_network: NotRequired[bool]
    """true uses the node's network, ports 8080 and 8081 included: one replica a node, no network policy;
    PodSecurity baseline and restricted refuse it."""
    label_filter: NotRequired[str]
    """A Kubernetes label selector: only these nodes become targets; absent: all. Allowed: a label
    selector such as role=worker or !node-role.kubernetes.io/control-plane."""
    egress_ports: NotRequired[Sequence[int]]
    """Where the network policy lets the syncer go: AWS and the API server, beside DNS. Allowed: a list of
    TCP ports."""


class Identity(TypedDict):
    """With whose credentials the syncer calls AWS."""

    kind: NotRequired[str]
    """pod-identity and irsa: a role of the syncer's own; node-role: the policy on the nodes' role;
    user-keys: an IAM user with keys in a Secret; external: nothing is made, you provide the credentials.
    Absent: pod-identity beside a clusterName, otherwise user-keys. Allowed: pod-identity, irsa,
    node-role, user-keys or external."""
    cluster_name: NotRequired[pulumi.Input[str]]
    """pod-identity: the EKS cluster, which needs the add-on eks-pod-identity-agent. Allowed: the name of
    an EKS cluster."""
    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """irsa: the IAM OIDC provider of the cluster's issuer, on EKS or on your own cluster. Allowed: the
    ARN of an IAM OIDC provider."""
    role_name: NotRequired[pulumi.Input[str]]
    """node-role: the role of the nodes that the syncer runs on; their instance metadata needs a hop limit
    of 2. Allowed: the name of an IAM role, without its path."""
    key_generation: NotRequired[int]
    """user-keys: raise it by one to rotate the keys; the new key is in use before the old one is deleted.
    Allowed: 1 to 1000000."""
    doctor_rights: NotRequired[bool]
    """true adds the Describe rights that `nlb-sync doctor` needs to check the target groups."""


class NodeNlbArgs(TypedDict):
    """Everything that a stack or a user of the component says."""

    vpc_id: NotRequired[pulumi.Input[str]]
    """The cluster's VPC: target groups and the load balancer's security group live in it. Allowed: the id
    of a VPC; absent only with targetGroups."""
    zones: NotRequired[Mapping[str, Zone]]
    """One subnet and one static IP for each availability zone, keyed by the zone's name."""
    node_security_group_id: NotRequired[pulumi.Input[str]]
    """The nodes' security group: it gets one rule for each NodePort, and keeps all its own. Allowed: the
    id of a security group; absent with nodeSecurityGroupIds or targetGroups."""
    node_security_group_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """In place of nodeSecurityGroupId where node pools have security groups of their own. Allowed: a list
    of security group ids."""
    target_groups: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Groups of a load balancer that exists already, by the ingress port they lead to. The stack then
    makes only the syncer and its identity, adopts the Service, and leaves other owners' targets alone."""
    listeners: NotRequired[Sequence[Listener]]
    """The ports that clients reach; each has a target group. Allowed: a list of listeners."""
    health_check: NotRequired[HealthCheck]
    """Every group, the https one too, is checked over HTTP, as the predecessor had it."""
    addresses: NotRequired[Addresses]
    """Static IPs stand in other people's allow-lists, so they outlive the stack by default."""
    allow_replacement: NotRequired[Sequence[str]]
    """Resources that an edit may replace. A new load balancer has a new DNS name and ARN, and there is no
    service for some minutes. Allowed: a list of: loadBalancer."""
    client_cidrs: NotRequired[Sequence[str]]
    """Who may connect to the listeners; enforced by the load balancer's security group. Allowed: a list
    of IPv4 networks."""
    firewall: NotRequired[Firewall]
    """The rules on the nodes' security group."""
    connections: NotRequired[Connections]
    """What happens to established connections."""
    deregistration_delay: NotRequired[int]
    """How long a leaving node may finish its connections; AWS advises at least 120 for an NLB. Allowed: 0
    to 3600 seconds."""
    cross_zone: NotRequired[bool]
    """true spreads each static IP over the nodes of all zones, at the cost of traffic between zones and
    of a quota of 500 targets in total instead of a zone."""
    target_quota: NotRequired[int]
    """AWS's quota of targets for each zone of a load balancer, with crossZone for all zones together;
    beyond it the syncer chooses a stable subset of the nodes. Allowed: 50 to 3000."""
    ingress: NotRequired[Ingress]
    """The NodePort Service before the ingress controller."""
    preset: NotRequired[str]
    """predecessor: nodeSelector, toleration and label filter of the Go project's manifests. Allowed: none
    or predecessor."""
    syncer: NotRequired[Syncer]
    """The controller that keeps the target groups in step with the nodes."""
    identity: NotRequired[Identity]
    """With whose credentials the syncer calls AWS."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of every AWS resource that can carry them."""
