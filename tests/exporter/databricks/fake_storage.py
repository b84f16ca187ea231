"""The cloud storage of the fake workspace, which is reached by signed URLs."""

# ruff: noqa: C901, PLR0911  # each cloud has its requests and their responses

from __future__ import annotations

import re

from tests.exporter.conftest import Response

CREDENTIAL_TYPES = [
    "AWS_PRESIGNED_URL",
    "GCP_SIGNED_URL",
    "AZURE_SAS_URI",
    "AZURE_ADLS_GEN2_SAS_URI",
]


class FakeStorage:
    """Files by path. `credential_type` is one of CREDENTIAL_TYPES."""

    def __init__(self):
        self.credential_type = "AWS_PRESIGNED_URL"
        self.files = {}
        self._blocks = {}

    def credential(self, uri):
        encryption = {"name": "x-amz-server-side-encryption", "value": "AES256"}
        return {
            "type": self.credential_type,
            "signed_uri": f"{uri}?sig=s3cr3t",
            "headers": [encryption],
        }

    def respond(self, method, path, query, headers, raw):
        # Each cloud rejects other credentials beside the signature.
        if "authorization" in headers or query.get("sig") != "s3cr3t":
            return Response(400)
        # Azure also rejects headers of another cloud.
        aws_headers = [name for name in headers if name.startswith("x-amz-")]
        is_azure = self.credential_type.startswith("AZURE")
        if is_azure and aws_headers and method != "GET":
            return Response(400)
        if method == "GET":
            content = self.files.get(path)
            return Response(404) if content is None else Response(body=content)
        match self.credential_type, method, query:
            case "AZURE_SAS_URI", "PUT", {"comp": "block", "blockid": block_id}:
                if headers.get("x-ms-blob-type") != "BlockBlob":
                    return Response(400)
                self._blocks[block_id] = raw
                return Response(201)
            case "AZURE_SAS_URI", "PUT", {"comp": "blocklist"}:
                block_ids = re.findall("<Uncommitted>(.*?)</Uncommitted>", raw.decode())
                self.files[path] = b"".join(map(self._blocks.get, block_ids))
                return Response(201)
            case "AZURE_ADLS_GEN2_SAS_URI", "PUT", {"resource": "file"}:
                self.files[path] = b""
                return Response(201)
            case (
                "AZURE_ADLS_GEN2_SAS_URI",
                "PATCH",
                {"action": "append", "position": "0", "flush": "true"},
            ):
                self.files[path] += raw
                return Response(202)
            case (("AWS_PRESIGNED_URL" | "GCP_SIGNED_URL"), "PUT", _):
                # The signature includes this header.
                if headers.get("x-amz-server-side-encryption") != "AES256":
                    return Response(403)
                self.files[path] = raw
                return Response(200)
            case _:
                return Response(403)
