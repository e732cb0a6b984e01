"""aws:lb/listenerCertificate:ListenerCertificate (internal/service/elbv2/listener_certificate.go)."""

from typing import Any, Final

from sandbox.plugins.aws.session import Aws, AwsError, doing
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("ListenerNotFound", "ListenerNotFoundException", "CertificateNotFound")
_IS_DEFAULT: Final = "Default certificate cannot be removed"


class ListenerCertificate:
    """A further certificate of a TLS listener; the id is `LISTENER-ARN_CERTIFICATE-ARN`."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """AddListenerCertificates; a certificate of the list may be added again."""
        listener, certificate = inputs["listenerArn"], inputs["certificateArn"]
        ident = f"{listener}_{certificate}"
        with doing(f"creating ELBv2 Listener Certificate ({ident})"):
            aws.elbv2.add_listener_certificates(
                ListenerArn=listener, Certificates=[{"CertificateArn": certificate}]
            )
        return ident, {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """No further steps."""

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeListenerCertificates; the default certificate is another resource's."""
        _ = prior
        listener, certificate = _parts(ident)
        try:
            with doing(f"reading ELBv2 Listener Certificate ({ident})"):
                found: Any = aws.elbv2.describe_listener_certificates(ListenerArn=listener)
        except AwsError as error:
            if error.code not in _GONE:
                raise
            return None
        listed = [each["CertificateArn"] for each in found["Certificates"] if not each.get("IsDefault")]
        return {"certificateArn": certificate, "listenerArn": listener} if certificate in listed else None

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Return the id: no update in place, both properties replace the resource."""
        _ = aws, old, new, changed
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """RemoveListenerCertificates; a certificate that is now the default one stays."""
        _ = state, timeout_s
        listener, certificate = _parts(ident)
        try:
            with doing(f"deleting ELBv2 Listener Certificate ({ident})"):
                aws.elbv2.remove_listener_certificates(
                    ListenerArn=listener, Certificates=[{"CertificateArn": certificate}]
                )
        except AwsError as error:
            if error.code not in _GONE and _IS_DEFAULT not in str(error):
                raise


def _parts(ident: str) -> tuple[str, str]:
    listener, _, certificate = ident.partition("_")
    if not listener or not certificate:
        raise ProviderError(f"unexpected format for ID ({ident}), expected LISTENER_ARN_CERTIFICATE_ARN")
    return listener, certificate
