"""The blob of a trace, through the signed address that Databricks gives for it.

The address is a secret, and so its own credential: nothing else of ours goes there.
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
    """What `credentials-for-data-upload` and `-download` say."""

    kind: str
    address: str
    headers: dict[str, str]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Credential:
        info = answer["credential_info"]
        return cls(
            info["type"],
            info["signed_uri"],
            {one["name"]: one["value"] for one in info.get("headers", ())},
        )

    @property
    def is_azure(self) -> bool:
        return self.kind.startswith("AZURE_")


class SignedBlob:
    """Raises ExportError."""

    def __init__(self, credential: Credential, timeout: float) -> None:
        self._credential = credential
        self._timeout = timeout

    def put(self, content: bytes) -> None:
        match self._credential.kind:
            case "AZURE_SAS_URI":
                # https://learn.microsoft.com/rest/api/storageservices/put-block
                block = b64encode(uuid.uuid4().hex.encode()).decode()
                blob = {"x-ms-blob-type": "BlockBlob"}
                self._ask("PUT", content, blob, comp="block", blockid=block)
                self._ask("PUT", _block_list(block), comp="blocklist")
            case "AZURE_ADLS_GEN2_SAS_URI":
                # https://learn.microsoft.com/rest/api/storageservices/datalakestoragegen2/path/update
                self._ask("PUT", b"", resource="file")
                self._ask("PATCH", content, action="append", position=0, flush="true")
            case _:
                self._ask("PUT", content)

    def content(self) -> bytes | None:
        """None if nothing was put there yet."""
        return self._ask("GET", None, may_be_missing=True)

    def _ask(
        self,
        method: str,
        content: bytes | None,
        more: Mapping[str, str] | None = None,
        *,
        may_be_missing: bool = False,
        **query: object,
    ) -> bytes | None:
        address = self._credential.address
        if query:
            address += ("&" if "?" in address else "?") + urlencode(query)
        headers = {
            name: value
            for name, value in self._credential.headers.items()
            # Azure refuses headers that it does not know.
            if not self._credential.is_azure or name.lower().startswith("x-ms-")
        }
        session = MlflowSession({**headers, **(more or {})}, verify=True, cert=None)
        try:
            answer = session.request(
                method, address, data=content, timeout=self._timeout
            )
        except OSError as error:
            raise _unstored(type(error).__name__) from None  # it quotes the address
        finally:
            session.close()
        if may_be_missing and answer.status_code == 404:  # noqa: PLR2004  # Not Found
            return None
        if not _is_success(answer):
            raise _unstored(str(answer.status_code))
        return answer.content


def _is_success(answer: requests.Response) -> bool:
    """Redirections are not followed, and `ok` for `requests`."""
    return 200 <= answer.status_code < 300  # noqa: PLR2004  # what success is in HTTP


def _unstored(said: str) -> ExportError:
    return ExportError(
        f"the traces are listed, but their spans cannot be stored ({said})",
        "Let this machine reach the cloud storage of the workspace (a proxy or a "
        "firewall may be in the way)",
    )


def _block_list(block: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<BlockList>\n'
        f"<Uncommitted>{block}</Uncommitted>\n</BlockList>"
    ).encode()
