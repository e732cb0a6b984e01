"""The offline AWS provider: the official provider's behaviour at the plugin protocol, with boto3."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from sandbox.plugins.aws import config, states, tags
from sandbox.plugins.aws.check import Checking, automatic_name, check_inputs, rules_of
from sandbox.plugins.aws.diff import difference
from sandbox.plugins.aws.handler import Handler
from sandbox.plugins.aws.schema import FUNCTIONS, RESOURCES, Shape, sdk_version, shapes
from sandbox.plugins.aws.session import Aws, Clients, doing
from sandbox.plugins.difference import Difference
from sandbox.plugins.provider import (
    Checked,
    InitFailed,
    Invoked,
    Naming,
    Provider,
    ProviderError,
    Resource,
    State,
)
from sandbox.plugins.values import PropertyMap, has_secret, has_unknown, keep_secrets, reveal

_LOOKUP: Final = "lookup"


def handlers() -> Mapping[str, Handler]:
    """Return the handler of every type."""
    from sandbox.plugins.aws.eip import Eip  # noqa: PLC0415 - a preview of a new stack needs no handler
    from sandbox.plugins.aws.iam import AccessKey, User, UserPolicy  # noqa: PLC0415
    from sandbox.plugins.aws.listener import Listener  # noqa: PLC0415
    from sandbox.plugins.aws.listener_certificate import ListenerCertificate  # noqa: PLC0415
    from sandbox.plugins.aws.load_balancer import LoadBalancer  # noqa: PLC0415
    from sandbox.plugins.aws.metric_alarm import MetricAlarm  # noqa: PLC0415
    from sandbox.plugins.aws.pod_identity import PodIdentityAssociation  # noqa: PLC0415
    from sandbox.plugins.aws.record import Record  # noqa: PLC0415
    from sandbox.plugins.aws.role import Role, RolePolicy, RolePolicyAttachment  # noqa: PLC0415
    from sandbox.plugins.aws.security_group import SecurityGroup  # noqa: PLC0415
    from sandbox.plugins.aws.security_group_rule import SecurityGroupRule  # noqa: PLC0415
    from sandbox.plugins.aws.target_group import TargetGroup  # noqa: PLC0415
    from sandbox.plugins.aws.vpc_endpoint_service import VpcEndpointService  # noqa: PLC0415

    return {
        "aws:ec2/eip:Eip": Eip(),
        "aws:ec2/securityGroup:SecurityGroup": SecurityGroup(),
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": SecurityGroupRule(egress=False),
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": SecurityGroupRule(egress=True),
        "aws:lb/loadBalancer:LoadBalancer": LoadBalancer(),
        "aws:lb/targetGroup:TargetGroup": TargetGroup(),
        "aws:lb/listener:Listener": Listener(),
        "aws:lb/listenerCertificate:ListenerCertificate": ListenerCertificate(),
        "aws:route53/record:Record": Record(),
        "aws:ec2/vpcEndpointService:VpcEndpointService": VpcEndpointService(),
        "aws:cloudwatch/metricAlarm:MetricAlarm": MetricAlarm(),
        "aws:iam/user:User": User(),
        "aws:iam/userPolicy:UserPolicy": UserPolicy(),
        "aws:iam/accessKey:AccessKey": AccessKey(),
        "aws:iam/role:Role": Role(),
        "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": RolePolicyAttachment(),
        "aws:eks/podIdentityAssociation:PodIdentityAssociation": PodIdentityAssociation(),
    }


class AwsProvider(Provider):
    """Exactly the types and functions used by the program."""

    name = "aws"

    def __init__(self) -> None:
        super().__init__()
        self.version = sdk_version()
        self._shapes = shapes()
        self._configuration: config.Configuration | None = None
        self._clients: Clients | None = None
        self._account = ""

    def check_config(self, resource: Resource, news: PropertyMap, olds: PropertyMap) -> Checked:
        """Refuse unknown keys, unknown endpoint names, mistyped values and a missing region."""
        _ = olds
        found = config.with_environment(news)
        return Checked(found, tuple(config.failures(resource, reveal(found))))

    def configure(self, config_values: PropertyMap) -> None:
        """Store the configuration and read the caller's identity from AWS, unless the stack skips this."""
        revealed = config.with_environment(reveal(config_values))
        configuration = config.parse(revealed)
        self._configuration = configuration
        self._clients = Clients(configuration.access)
        if has_unknown(revealed):
            return
        if configuration.skip_credentials_validation and configuration.skip_account_id:
            return
        with doing("unable to validate AWS credentials"):
            self._account = self._aws({}).sts.get_caller_identity()["Account"]
        allowed = configuration.allowed_accounts
        if (allowed and self._account not in allowed) or self._account in configuration.forbidden_accounts:
            raise ProviderError(f"AWS account ID not allowed: {self._account}")
        if configuration.skip_account_id:
            self._account = ""

    def check(self, resource: Resource, news: PropertyMap, olds: PropertyMap, naming: Naming) -> Checked:
        """Validate; fill in region, name, defaults and `tagsAll` like pulumi-aws before planning."""
        shape = self._shape(resource.type)
        hidden = frozenset(key for key, value in news.items() if has_secret(value))
        checking = Checking(resource.type, resource.name, rules_of(resource.type), hidden)
        given = dict(reveal(news))
        name = automatic_name(checking, given, reveal(olds), naming)
        if name:
            given["name"] = name
        if "region" in shape.inputs and given.get("region") is None:
            given["region"] = self._region()
        checked = check_inputs(checking, shape, given)
        if name:
            checked["__defaults"].append("name")
        if "tags" in shape.inputs and not checking.failures:
            checked["tagsAll"] = tags.merged(self._default_tags(), checked.get("tags"))
        checked["__defaults"].sort()
        return Checked(states.secured({}, keep_secrets(checked, news), news), tuple(checking.failures))

    def diff(self, resource: Resource, old: State, news: PropertyMap, ignored: Sequence[str]) -> Difference:
        """Compare the recorded resource with the program's inputs."""
        return self._difference(resource.type, reveal(old.outputs), reveal(news), ignored)

    def create(self, resource: Resource, inputs: PropertyMap, *, preview: bool, timeout_s: float) -> State:
        """Create; after a failure the created resource stays in the state, for repair by the next up."""
        rules, shape = rules_of(resource.type), self._shape(resource.type)
        wanted = reveal(inputs)
        if preview:
            return State("", states.secured(rules, states.foreseen(rules, shape, wanted), inputs))
        handler, aws = self._handler(resource.type), self._aws(wanted)
        ident, born = handler.create(aws, wanted)
        known = {**wanted, **born}
        with self._recorded(resource, ident, known, inputs):
            handler.settle(aws, ident, wanted, timeout_s)
            return State(ident, self._outputs(resource, ident, known, inputs))

    def read(self, resource: Resource, ident: str, old: State) -> State | None:
        """Return AWS's state of the resource; on import by id alone."""
        self._shape(resource.type)
        known = reveal(old.outputs) or states.plain(reveal(old.inputs))
        told = self._handler(resource.type).read(self._aws(known), ident, known)
        if told is None:
            return None
        rules = rules_of(resource.type)
        found = states.outputs(rules, known, told, self._aws(known).region)
        before = reveal(old.inputs)
        change = self._difference(resource.type, found, before, ())
        inputs = states.inputs(rules, self._shape(resource.type), before, found, change)
        secret = old.inputs or old.outputs
        return State(
            str(found["name"]) if resource.type == "aws:iam/user:User" else ident,
            states.secured(rules, found, secret),
            states.secured({}, inputs, secret),
        )

    def update(
        self,
        resource: Resource,
        old: State,
        news: PropertyMap,
        *,
        preview: bool,
        timeout_s: float,
        ignored: Sequence[str],
    ) -> PropertyMap:
        """Update in place; a failure half-way records AWS's current state."""
        _ = timeout_s
        before, wanted = reveal(old.outputs), reveal(news)
        change = self._difference(resource.type, before, wanted, ignored)
        if preview:
            foreseen = states.foreseen_change(before, wanted, change)
            return states.secured(rules_of(resource.type), foreseen, news)
        known = {**before, **states.plain(wanted)}
        known = {key: value for key, value in known.items() if key in wanted or key not in change.fields}
        handler, aws = self._handler(resource.type), self._aws(before)
        with self._recorded(resource, old.id, before, news):
            handler.update(aws, old.id, before, {"tagsAll": {}, **wanted}, frozenset(change.fields))
            return self._outputs(resource, old.id, known, news)

    def delete(self, resource: Resource, old: State, *, timeout_s: float) -> None:
        """Delete; a missing resource is a success."""
        state = reveal(old.outputs)
        self._handler(resource.type).delete(self._aws(state), old.id, state, timeout_s)

    def schema(self) -> Mapping[str, object]:
        """Return the types and functions of this provider, for checks of YAML programs."""
        from sandbox.plugins.aws.package import package_schema  # noqa: PLC0415 - Python programs need none

        return package_schema(self.version, self._shapes)

    def invoke(self, token: str, args: PropertyMap) -> Invoked:
        """Call a function with checked arguments."""
        if token not in FUNCTIONS:
            raise ProviderError(_unsupported(token, sorted(FUNCTIONS)))
        from sandbox.plugins.aws.lookups import LOOKUPS  # noqa: PLC0415 - lazy as the handlers

        checking = Checking(token, _LOOKUP, {})
        given = check_inputs(checking, self._shapes[token], reveal(args))
        if checking.failures:
            return Invoked(failures=tuple(checking.failures))
        result = LOOKUPS[token](self._aws(given), states.plain(given))
        return Invoked({key: value for key, value in result.items() if value is not None})

    def _difference(
        self, token: str, old: PropertyMap, news: PropertyMap, ignored: Sequence[str]
    ) -> Difference:
        return difference(token, rules_of(token), self._shape(token), old=old, new=news, ignored=ignored)

    def _outputs(
        self, resource: Resource, ident: str, known: PropertyMap, secret: PropertyMap
    ) -> PropertyMap:
        """Read the resource after a creation or update."""
        aws = self._aws(known)
        told = self._handler(resource.type).read(aws, ident, states.plain(known))
        if told is None:
            raise ProviderError(f"reading {resource.type} ({ident}): it is gone right after it was written")
        rules = rules_of(resource.type)
        return states.secured(rules, states.outputs(rules, known, told, aws.region), secret)

    @contextmanager
    def _recorded(
        self, resource: Resource, ident: str, known: PropertyMap, secret: PropertyMap
    ) -> Iterator[None]:
        """Turn a failure into InitFailed with the resource's outputs, as far as AWS can still be read."""
        try:
            yield
        except ProviderError as failure:
            rules = rules_of(resource.type)
            try:
                outputs = self._outputs(resource, ident, known, secret)
            except ProviderError:
                outputs = states.secured(
                    rules, states.outputs(rules, known, {}, self._aws(known).region), secret
                )
            raise InitFailed(ident, outputs, [str(failure)]) from failure

    def _shape(self, token: str) -> Shape:
        if token not in RESOURCES:
            raise ProviderError(_unsupported(token, sorted(RESOURCES)))
        return self._shapes[token]

    def _handler(self, token: str) -> Handler:
        self._shape(token)
        return handlers()[token]

    def _region(self) -> str | None:
        return (self._configuration.access.region or None) if self._configuration else None

    def _default_tags(self) -> Mapping[str, str]:
        return self._configuration.access.default_tags if self._configuration else {}

    def _aws(self, properties: PropertyMap) -> Aws:
        """Return AWS in the resource's region, by default the provider's."""
        if self._clients is None or self._configuration is None:
            raise ProviderError("the AWS provider is not configured")
        region = str(properties.get("region") or self._configuration.access.region)
        return Aws(self._clients, region, self._account, self.cancelled, self._default_tags())


def _unsupported(token: str, known: Sequence[str]) -> str:
    return (
        f"{token}: not supported by the offline AWS provider, which knows {', '.join(known)}; "
        "install the official plugin to use others"
    )
