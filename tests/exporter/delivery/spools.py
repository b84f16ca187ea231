"""Spools for tests."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager

from opentelemetry.exporter.mlflow._delivery._request_queue import EncodedRequest
from opentelemetry.exporter.mlflow._delivery._spool import Spool
from opentelemetry.exporter.mlflow._delivery._spool_database import FILE_NAME

from .fallback_queue import FallbackQueue

DESTINATION = "http://localhost:5000, experiment 0"
FULL = "the spool is full"


def make_request(text, span_count=1):
    return EncodedRequest(text.encode(), span_count)


@contextmanager
def open_spool(folder, destination=DESTINATION, max_bytes=10**6, max_age=3600):
    """A spool with more attributes: `drops`, and the queue in memory."""
    drops = Counter()

    def on_drop(span_count, reason):
        assert not spool._requests._access._is_running
        drops[reason] += span_count

    fallback = FallbackQueue()
    spool = Spool(
        folder,
        lambda: spool.destination_name,
        max_bytes=max_bytes,
        max_age_seconds=max_age,
        on_drop=on_drop,
        fallback=fallback,
    )
    spool.drops, spool.fallback = drops, fallback
    spool.destination_name = destination
    try:
        yield spool
    finally:
        spool.close()


def put_unclaimed(spool, text, **arguments):
    queued = spool.put(make_request(text, **arguments))
    spool.release(queued, attempts=0, delay=0)
    return queued


def take_text(spool):
    queued = spool.take()
    return queued and queued.request.body.decode()


def take_all(spool):
    """The texts of all requests that are due, which are removed."""
    texts = []
    while queued := spool.take():
        texts.append(queued.request.body.decode())
        spool.replace(queued, [])
    return texts


def retry_now(spool):
    """Do not wait until an unusable database is tried again."""
    spool._requests._access._retry_time = min(
        spool._requests._access._retry_time, time.monotonic()
    )


def database_path(folder):
    return folder / FILE_NAME
