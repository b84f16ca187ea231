"""Bridges MLflow's fluent tracing API and the application's OpenTelemetry tracing.

A fluent span is a span of `@mlflow.trace` or `mlflow.start_span`. An application span
is a span of the application's tracer provider. The bridge makes both kinds one trace.
"""
