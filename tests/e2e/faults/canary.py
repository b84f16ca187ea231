"""Runs with a canary in each place of a secret, and a search for it."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .fault_proxy import FaultProxy
from .faults import First, Respond
from .outcome import Mark, Outcome
from .program import Program

if TYPE_CHECKING:
    from .exchange import Exchange
    from .mlflow_backend import MlflowBackend

CANARY = "canary-7f3a9c"
_USER = f"user:{CANARY}"
_ENCODED = [
    text.encode()
    for text in (CANARY, base64.b64encode(_USER.encode()).decode().rstrip("="))
]
# These carry the secret to the one who is meant to read it.
_CREDENTIAL_HEADERS = ("authorization", "proxy-authorization")
_ERROR_BODY = b'{"error_code": "INTERNAL_ERROR", "message": "%s"}' % CANARY.encode()


def _secrets_everywhere(uri: str) -> dict[str, dict[str, str]]:
    """Settings of runs, by the place of the secret. `uri` is the proxy's."""
    address = urlsplit(uri).netloc
    return {
        "token": {"MLFLOW_TRACKING_URI": uri, "MLFLOW_TRACKING_TOKEN": CANARY},
        "password": {
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_TRACKING_USERNAME": "user",
            "MLFLOW_TRACKING_PASSWORD": CANARY,
        },
        "user information and query": {
            "MLFLOW_TRACKING_URI": f"http://{_USER}@{address}/?token={CANARY}"
        },
        "proxy": {
            "MLFLOW_TRACKING_URI": "http://mlflow.invalid:5000",
            "HTTP_PROXY": f"http://{_USER}@{address}",
        },
    }


_OTHER_SECRETS = {
    "DEEPSEEK_API_KEY": CANARY,
    "OPENAI_API_KEY": CANARY,
    "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={CANARY}",
}
_ERRORS = (
    Respond(500, body=_ERROR_BODY),
    Respond(429, {"Retry-After": CANARY}, _ERROR_BODY),
    Respond(302, {"Location": f"http://127.0.0.1:9/?token={CANARY}"}),
    Respond(401, {"WWW-Authenticate": f'Basic realm="{CANARY}"'}, _ERROR_BODY),
    Respond(400, {"Content-Type": "text/html"}, b"<html>" + CANARY.encode()),
)


@dataclass(frozen=True)
class CanarySearch:
    """Searches requests, log lines at DEBUG, and the files of the spool."""

    arguments: tuple[str, ...] = ("--rate", "50", "--seconds", "1.5", "--debug")

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        del mlflow  # The proxy accepts the spans.
        with FaultProxy() as proxy:
            places = _secrets_everywhere(proxy.uri)
        total = Outcome(0, [])
        for place, settings in places.items():
            variables = settings | _OTHER_SECRETS | {"OTEL_BSP_SCHEDULE_DELAY": "200"}
            with (
                tempfile.TemporaryDirectory("-spool") as spool,
                FaultProxy(schedule=First(_ERRORS), port=proxy.port) as proxy,
                Program(
                    "sender",
                    ["--exporter", exporter, *self.arguments],
                    settings["MLFLOW_TRACKING_URI"],
                    "1",
                    variables | {"OTEL_EXPORTER_MLFLOW_SPOOL": spool},
                    waits=False,
                ) as program,
            ):
                program.read("started")
                total.sent += program.read("sent")["spans"]
                program.end()
                files = {
                    f"spool/{path.name}": path.read_bytes()
                    for path in Path(spool).rglob("*")
                    if path.is_file()
                }
                texts = {"log": program.log.encode()} | files
                total.canaries += [
                    f"{place}: {name}"
                    for name, text in [*texts.items(), *_sent_texts(proxy.exchanges)]
                    if any(form in text for form in _ENCODED)
                ]
                total.exports += proxy.exports
                total.searches += bool(proxy.exports)
        return total


def _sent_texts(exchanges: list[Exchange]) -> list[tuple[str, bytes]]:
    return [
        text
        for exchange in exchanges
        for text in (
            ("path", exchange.path.encode()),
            ("body", exchange.content),
            *(
                (f"header {name}", value.encode())
                for name, value in exchange.headers.items()
                if name not in _CREDENTIAL_HEADERS
            ),
        )
    ]


_SEARCHES = len(_secrets_everywhere("http://localhost"))

NO_CANARY = Mark(
    "the secret is found nowhere",
    lambda run: (
        f"{len(run.canaries)} found in {', '.join(sorted(set(run.canaries)))}"
        if run.canaries
        else "0 found"
    ),
    lambda run: not run.canaries and run.searches == _SEARCHES,
)
