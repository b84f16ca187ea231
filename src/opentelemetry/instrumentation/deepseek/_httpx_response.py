"""The methods of an `httpx.Response` through which every read and close goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._response_recorder import RecordedResponse, original_class, recorder_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class RecordedHttpxResponse(RecordedResponse):
    """Reports the bytes that an application reads of an `httpx.Response`."""

    def iter_bytes(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        pieces: Iterator[bytes] = original_class(self).iter_bytes(self, *args, **kwargs)
        if (recorder := recorder_of(self)) is None:
            return pieces
        return recorder.report(self, pieces, recorder.body.on_bytes)

    def iter_raw(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        pieces: Iterator[bytes] = original_class(self).iter_raw(self, *args, **kwargs)
        recorder = recorder_of(self)
        if recorder is None or recorder.is_reading:  # called by `iter_bytes` of httpx
            return pieces
        return recorder.report(self, pieces, recorder.body.on_encoded_bytes)

    def aiter_bytes(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = original_class(self).aiter_bytes(
            self, *args, **kwargs
        )
        if (recorder := recorder_of(self)) is None:
            return pieces
        return recorder.report_async(self, pieces, recorder.body.on_bytes)

    def aiter_raw(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = original_class(self).aiter_raw(
            self, *args, **kwargs
        )
        recorder = recorder_of(self)
        if recorder is None or recorder.is_reading:
            return pieces
        return recorder.report_async(self, pieces, recorder.body.on_encoded_bytes)

    def close(self) -> None:
        try:
            original_class(self).close(self)
        finally:
            if (recorder := recorder_of(self)) is not None:
                recorder.on_close(self)

    async def aclose(self) -> None:
        try:
            await original_class(self).aclose(self)
        finally:
            if (recorder := recorder_of(self)) is not None:
                recorder.on_close(self)
