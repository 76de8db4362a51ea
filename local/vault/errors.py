"""What Key Vault answers when it refuses: ``{"error": {"code", "message", "innererror": {"code"}}}``."""

from http import HTTPStatus

RESOURCE = "https://vault.azure.net"
"""The audience of tokens for a vault."""


class VaultError(Exception):
    """An answer that is an error."""

    def __init__(
        self, status: int, code: str, message: str, *, inner: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, object] = {"code": code, "message": message}
        if inner:
            self.body["innererror"] = {"code": inner}


def unauthenticated(directory: str) -> VaultError:
    """Error of a request without a good token: it says where to get one, as the SDK's challenge flow expects."""
    challenge = f'Bearer authorization="https://login.microsoftonline.com/{directory}", resource="{RESOURCE}"'
    text = "AKV10000: Request is missing a Bearer or PoP token, or it is not valid here."
    return VaultError(HTTPStatus.UNAUTHORIZED, "Unauthorized", text, headers={"WWW-Authenticate": challenge})


def forbidden(action: str) -> VaultError:
    """Error of a caller whose identity has no rule for this."""
    text = f"Caller is not authorized to perform action on resource.\r\nAction: 'Microsoft.KeyVault/vaults/keys/{action}'"
    return VaultError(HTTPStatus.FORBIDDEN, "Forbidden", text, inner="ForbiddenByRbac")


def operation_forbidden(operation: str) -> VaultError:
    """Error of an operation for which the key was not made, whoever asks."""
    text = f"Operation {operation} is not permitted on this key."
    return VaultError(HTTPStatus.FORBIDDEN, "Forbidden", text, inner="KeyOperationForbidden")


def not_found() -> VaultError:
    """Error of a key or a version that is not there, or was deleted."""
    return VaultError(HTTPStatus.NOT_FOUND, "KeyNotFound", "A key with this name or version was not found in this key vault.")


def deleted_not_found() -> VaultError:
    """Error of a deleted key that is not there, or was purged."""
    return VaultError(HTTPStatus.NOT_FOUND, "KeyNotFound", "Deleted Key not found.")


def name_is_held() -> VaultError:
    """Error of a new key whose name a deleted one holds."""
    text = "The key is in a deleted but recoverable state, and its name cannot be reused; it can only be recovered or purged."
    return VaultError(HTTPStatus.CONFLICT, "Conflict", text, inner="ObjectIsDeletedButRecoverable")


def bad_parameter(rule: str) -> VaultError:
    """Error of a request that means nothing here; the text is the rule that it breaks."""
    return VaultError(HTTPStatus.BAD_REQUEST, "BadParameter", rule)


def unavailable() -> VaultError:
    """Error while the keys of the token issuer cannot be had."""
    return VaultError(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", "The token cannot be checked now.")
