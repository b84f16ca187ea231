"""Splits the attributes of a resource into trace tags and attributes of a span.

MLflow stores each resource attribute, except `telemetry.sdk.*`, as a tag of the trace.
Each tag is shown in each row of MLflow's list of traces. Each tag is also a row that
its server writes; for a trace of one span that is a tenth of the work. Attributes that
the SDK fills in with values that nobody searches for are therefore moved to the local
root span.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/sqlalchemy_store.py
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.sdk.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

# The values that the SDK fills in. A name that a user gives to a service or an instance
# does not match, and stays a tag.
_SDK_VALUES: Final = {
    "service.instance.id": re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    "service.name": re.compile("unknown_service.*"),
    "telemetry.auto.version": re.compile(".*"),
}


class SplitResource(NamedTuple):
    """`resource` has the attributes that become tags of the trace."""

    resource: Resource
    local_root_attributes: Mapping[str, Any]


class ResourceSplitter:
    """Splits resources, and caches the last one: most processes have only one."""

    def __init__(self) -> None:
        self._last: tuple[Resource | None, SplitResource] = (
            None,
            SplitResource(_HashCachingResource({}), {}),
        )

    def split(self, resource: Resource) -> SplitResource:
        last_resource, split_resource = self._last
        if resource is not last_resource:
            split_resource = _split(resource)
            self._last = resource, split_resource
        return split_resource


class _HashCachingResource(Resource):
    """A resource that computes its hash once. The OTLP encoder needs it for each span.

    The hash is that of a JSON document, which Resource writes for each call.
    """

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def _split(resource: Resource) -> SplitResource:
    tags: dict[str, Any] = {}
    local_root_attributes: dict[str, Any] = {}
    for name, value in resource.attributes.items():
        if _is_sdk_value(name, value):
            local_root_attributes[name] = value
        else:
            tags[name] = value
    resource = _HashCachingResource(tags, resource.schema_url)
    return SplitResource(resource, local_root_attributes)


def _is_sdk_value(name: str, value: Any) -> bool:
    pattern = _SDK_VALUES.get(name)
    return bool(pattern and isinstance(value, str) and pattern.fullmatch(value))
