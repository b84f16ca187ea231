from __future__ import annotations

import argparse

from examples.otlp_receiver import OtlpReceiver, format_span


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.otlp_receiver",
        description="Receive OTLP over HTTP and print one line per span: start, "
        "duration, tokens in → out, trace id, name.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4318)
    options = parser.parse_args()
    with OtlpReceiver(
        host=options.host,
        port=options.port,
        on_span=lambda span: print(format_span(span), flush=True),
    ) as receiver:
        print(
            f"Listening. Configure the exporter with:\n"
            f"  OTEL_EXPORTER_OTLP_ENDPOINT={receiver.endpoint} "
            f"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
            flush=True,
        )
        try:
            receiver.wait()
        except KeyboardInterrupt:
            print(f"{len(receiver.spans)} spans received.")


if __name__ == "__main__":
    main()
