"""The forms of references to images, as patterns of the whole text."""

from typing import Final

# The grammar of github.com/distribution/reference: 255 characters of a name, 128 of a tag. In the grammar a
# first part with an upper-case letter is always a registry; here a registry has a dot or a port, or is
# localhost.
_HOST_PART = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_PORT = r":\d{1,5}"
_REGISTRY = (
    rf"(localhost({_PORT})?|{_HOST_PART}(\.{_HOST_PART})+({_PORT})?|{_HOST_PART}{_PORT}"
    rf"|\[[0-9A-Fa-f:.]+\]({_PORT})?)"
)
_PATH_PART = "[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"
_DIGEST = "(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})"
REPOSITORY: Final = rf"(?=.{{1,255}}$){_REGISTRY}(/{_PATH_PART})+"
_NAME = rf"({_REGISTRY}/)?{_PATH_PART}(/{_PATH_PART})*"
# The pattern without lengths, for Go's regular expressions.
IMAGE_FORM: Final = rf"{_NAME}(:\w[\w.-]{{0,127}})?(@{_DIGEST})?"
IMAGE: Final = rf"(?=[^@]{{1,384}}(@|$)){IMAGE_FORM}"
