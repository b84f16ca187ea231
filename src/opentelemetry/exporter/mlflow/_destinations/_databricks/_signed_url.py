"""Uploads and downloads TraceData through a signed URL of the cloud storage.

The signed URL is a secret, and the only credential. No other credential and no other
header is sent to the storage.
"""

from __future__ import annotations

import uuid
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from opentelemetry.exporter.mlflow._destinations._http import MlflowSession
from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests


class Credential(NamedTuple):
    """The response of `credentials-for-data-upload` and `-download`.

    `type` names the cloud storage, for example AWS_PRESIGNED_URL.
    """

    type: str
    signed_uri: str
    headers: dict[str, str]

    @classmethod
    def from_response(cls, response: Mapping[str, Any]) -> Credential:
        info = response["credential_info"]
        return cls(
            info["type"],
            info["signed_uri"],
            {header["name"]: header["value"] for header in info.get("headers", ())},
        )

    @property
    def is_azure(self) -> bool:
        return self.type.startswith("AZURE_")


class SignedUrl:
    """A file in the cloud storage. Its methods raise ExportError."""

    def __init__(self, credential: Credential, timeout: float) -> None:
        self._credential = credential
        self._timeout = timeout

    def upload(self, content: bytes) -> None:
        match self._credential.type:
            case "AZURE_SAS_URI":
                # https://learn.microsoft.com/rest/api/storageservices/put-block
                block_id = b64encode(uuid.uuid4().hex.encode()).decode()
                headers = {"x-ms-blob-type": "BlockBlob"}
                self._request("PUT", content, headers, comp="block", blockid=block_id)
                self._request("PUT", _block_list(block_id), comp="blocklist")
            case "AZURE_ADLS_GEN2_SAS_URI":
                # https://learn.microsoft.com/rest/api/storageservices/datalakestoragegen2/path/update
                self._request("PUT", b"", resource="file")
                self._request(
                    "PATCH", content, action="append", position=0, flush="true"
                )
            case _:
                self._request("PUT", content)

    def download(self) -> bytes | None:
        """Return None if the file does not exist."""
        return self._request("GET", None, is_optional=True)

    def _request(
        self,
        method: str,
        content: bytes | None,
        extra_headers: Mapping[str, str] | None = None,
        *,
        is_optional: bool = False,
        **query: object,
    ) -> bytes | None:
        uri = self._credential.signed_uri
        if query:
            uri += ("&" if "?" in uri else "?") + urlencode(query)
        headers = {
            name: value
            for name, value in self._credential.headers.items()
            # Azure rejects requests with headers of another cloud.
            if not self._credential.is_azure or name.lower().startswith("x-ms-")
        }
        session = MlflowSession(
            {**headers, **(extra_headers or {})}, verify=True, cert=None
        )
        try:
            response = session.request(method, uri, data=content, timeout=self._timeout)
        except OSError as error:
            # The error's message contains the signed URL.
            raise _storage_error(type(error).__name__) from None
        finally:
            session.close()
        if is_optional and response.status_code == 404:  # noqa: PLR2004  # Not Found
            return None
        if not _is_success(response):
            raise _storage_error(str(response.status_code))
        return response.content


def _is_success(response: requests.Response) -> bool:
    """Redirects are not followed, but `response.ok` is true for them."""
    return 200 <= response.status_code < 300  # noqa: PLR2004  # the success class of HTTP


def _storage_error(reason: str) -> ExportError:
    return ExportError(
        f"the trace info is stored, but the spans cannot be stored ({reason})",
        "Allow this machine to connect to the cloud storage of the workspace; a proxy "
        "or a firewall may block the connection",
    )


def _block_list(block_id: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<BlockList>\n'
        f"<Uncommitted>{block_id}</Uncommitted>\n</BlockList>"
    ).encode()
