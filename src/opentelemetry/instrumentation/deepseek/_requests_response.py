"""The methods of a `requests.Response` through which every read and close goes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ._response_recorder import RecordedResponse, original_class, recorder_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordedRequestsResponse(RecordedResponse):
    """Reports the bytes that an application reads of a `requests.Response`.

    What it reads of `response.raw`, the response of urllib3, is not seen.
    """

    encoding: str | None

    def iter_content(
        self, chunk_size: int | None = 1, decode_unicode: bool = False
    ) -> Iterator[Any]:
        pieces: Iterator[Any] = original_class(self).iter_content(
            self, chunk_size, decode_unicode
        )
        if (recorder := recorder_of(self)) is None:
            return pieces
        # Without an encoding, `requests` returns bytes even then.
        if decode_unicode and self.encoding is not None:
            on_text = partial(recorder.body.on_text, encoding=self.encoding)
            return recorder.report(self, pieces, on_text)
        return recorder.report(self, pieces, recorder.body.on_bytes)

    def close(self) -> None:
        try:
            original_class(self).close(self)
        finally:
            if (recorder := recorder_of(self)) is not None:
                recorder.on_close(self)
