"""The methods of an `httpx.Response` through which every read and close goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._response_recorder import RecordedResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class RecordedHttpxResponse(RecordedResponse):
    """Reports the bytes that an application reads of an `httpx.Response`."""

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        recorder = self._deepseek_recorder
        pieces: Iterator[bytes] = recorder.response_class.iter_bytes(self, chunk_size)
        return recorder.report(self, pieces, recorder.body.on_bytes)

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        recorder = self._deepseek_recorder
        pieces: Iterator[bytes] = recorder.response_class.iter_raw(self, chunk_size)
        if recorder.is_reading:  # called by `iter_bytes` of httpx
            return pieces
        return recorder.report(self, pieces, recorder.body.on_encoded_bytes)

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        recorder = self._deepseek_recorder
        pieces: AsyncIterator[bytes] = recorder.response_class.aiter_bytes(
            self, chunk_size
        )
        return recorder.report_async(self, pieces, recorder.body.on_bytes)

    def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        recorder = self._deepseek_recorder
        pieces: AsyncIterator[bytes] = recorder.response_class.aiter_raw(
            self, chunk_size
        )
        if recorder.is_reading:
            return pieces
        return recorder.report_async(self, pieces, recorder.body.on_encoded_bytes)

    def close(self) -> None:
        recorder = self._deepseek_recorder
        try:
            recorder.response_class.close(self)
        finally:
            recorder.on_close(self)

    async def aclose(self) -> None:
        recorder = self._deepseek_recorder
        try:
            await recorder.response_class.aclose(self)
        finally:
            recorder.on_close(self)
