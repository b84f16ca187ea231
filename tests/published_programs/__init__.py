"""Programs as their documentation publishes them: `tox -e published-programs`.

Each program runs under `opentelemetry-instrument`, with the simulated DeepSeek API, a
real MLflow server and an OTLP endpoint. The packages of the programs are in an
environment of their own.
"""
