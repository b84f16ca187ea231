"""What MLflow is told of the process that made a span.

Of every attribute of the resource but `telemetry.sdk.*` MLflow makes a tag of the
trace: a word more on each row of its list, and a row more for its server to write,
which for a trace of one span is a tenth of the work. What the SDK says by itself, and
nobody looks for, is said on the first span instead.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/sqlalchemy_store.py
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.sdk.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

# As the SDK fills them in; what a user calls a service or an instance is a tag.
_NO_TAGS: Final = {
    "service.instance.id": re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    "service.name": re.compile("unknown_service.*"),
    "telemetry.auto.version": re.compile(".*"),
}


class Origin(NamedTuple):
    """`resource` has the tags, and `untagged` the rest."""

    resource: Resource
    untagged: Mapping[str, Any]


class Origins:
    """Of resources; the last one is kept, since a process has but one."""

    def __init__(self) -> None:
        self._last: tuple[Resource | None, Origin] = None, Origin(_Shared({}), {})

    def of(self, resource: Resource) -> Origin:
        known, origin = self._last
        if resource is not known:
            origin = _origin(resource)
            self._last = resource, origin
        return origin


class _Shared(Resource):
    """One that many spans have: their encoder asks each of them for its hash."""

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()  # that of a JSON document, written for it

    def __hash__(self) -> int:
        return self._hash


def _origin(resource: Resource) -> Origin:
    tags: dict[str, Any] = {}
    untagged: dict[str, Any] = {}
    for name, value in resource.attributes.items():
        (untagged if _is_of_the_sdk(name, value) else tags)[name] = value
    return Origin(_Shared(tags, resource.schema_url), untagged)


def _is_of_the_sdk(name: str, value: Any) -> bool:
    form = _NO_TAGS.get(name)
    return bool(form and isinstance(value, str) and form.fullmatch(value))
