"""Faults between a program that exports spans and a real MLflow server.

`python -m tests.e2e.faults` runs them in full, with this exporter and with
OpenTelemetry's OTLP exporter, and writes the table in `docs/delivery.md`. The tests run
short forms of them.
"""
