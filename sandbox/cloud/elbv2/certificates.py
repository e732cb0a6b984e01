"""Certificates of TLS listeners, from the account's ACM in moto."""

from typing import Any

from sandbox.cloud.elbv2.records import Listener
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError, AwsValidationError
from sandbox.cloud.query import Structure
from sandbox.layout import ACCOUNT, REGION

_POLICIES = (
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
)
_ALPN = ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None")


def require_tls(protocol: str, params: Structure, known: list[Structure]) -> None:
    """Refuse TLS without exactly one known certificate, and parts of TLS beside other protocols."""
    policy, alpn = params.get("SslPolicy"), params.get("AlpnPolicy", [])
    given = params.get("Certificates", [])
    if protocol != "TLS":
        if given or policy or alpn:
            raise AwsError(
                "InvalidConfigurationRequest",
                f"Certificates, SSL and ALPN policies are not supported with protocol {protocol}",
            )
        return
    if len(given or known) != 1:
        raise AwsValidationError("A certificate must be specified for TLS listeners")
    require_certificates(given)
    if policy and policy not in _POLICIES:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    if any(each not in _ALPN for each in alpn):
        raise AwsError("ALPNPolicyNotSupported", f"ALPN policy '{alpn[0]}' is not supported")


def default_policy(protocol: str) -> str | None:
    """Return the policy of a listener without one."""
    return _POLICIES[0] if protocol == "TLS" else None


def require_certificates(certificates: list[Structure]) -> None:
    """Refuse certificates that ACM does not have or has not issued.

    AWS's message about the latter speaks of the domain's name in any case (terraform-provider-aws#41789).
    """
    if not certificates:
        return
    from moto.acm.models import acm_backends  # noqa: PLC0415 (takes seconds; only TLS listeners need it)

    known: Any = acm_backends[ACCOUNT][REGION]._certificates  # noqa: SLF001 (no public look-up)
    for each in certificates:
        if each["CertificateArn"] not in known:
            raise AwsError("CertificateNotFound", f"Certificate ARN '{each['CertificateArn']}' is not found")
        known[each["CertificateArn"]].check()  # time changes the status
        if known[each["CertificateArn"]].status != "ISSUED":
            raise AwsError(
                "UnsupportedCertificate",
                f"The certificate '{each['CertificateArn']}' must have a fully-qualified domain name, "
                "a supported signature, and a supported key size.",
            )


def add(cloud: Elbv2, params: Structure) -> Structure:
    """AddListenerCertificates: at most 25 a load balancer, defaults not counted; known ones are ignored."""
    one = _tls(cloud, params)
    require_certificates(params["Certificates"])
    for each in params["Certificates"]:
        if each["CertificateArn"] not in one.further_certificates:
            one.further_certificates.append(each["CertificateArn"])
    listeners = cloud.listeners_of(one.load_balancer_arn)
    if sum(len(each.further_certificates) for each in listeners) > 25:  # noqa: PLR2004 (source 3)
        one.further_certificates.pop()
        raise AwsError("TooManyCertificates", "The maximum number of certificates has been reached")
    return {"Certificates": _described(one)[1:]}


def remove(cloud: Elbv2, params: Structure) -> Structure:
    """RemoveListenerCertificates: not the default one; an unknown one succeeds."""
    one = _tls(cloud, params)
    arns = [each["CertificateArn"] for each in params["Certificates"]]
    if any(each["CertificateArn"] in arns for each in one.certificates):
        raise AwsError("OperationNotPermitted", "Default certificate cannot be removed")
    one.further_certificates = [arn for arn in one.further_certificates if arn not in arns]
    return {}


def describe(cloud: Elbv2, params: Structure) -> Structure:
    """DescribeListenerCertificates: the default one first."""
    return {"Certificates": _described(_tls(cloud, params))}


def _tls(cloud: Elbv2, params: Structure) -> Listener:
    return cloud.listener(params["ListenerArn"])


def _described(one: Listener) -> list[Structure]:
    default = [{**each, "IsDefault": True} for each in one.certificates]
    return default + [{"CertificateArn": arn, "IsDefault": False} for arn in one.further_certificates]
