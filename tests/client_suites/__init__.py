"""Runs the own tests of HTTP clients and SDKs with and without an instrumentation.

    python -m tests.client_suites openai

A test that passes without an instrumentation and fails with it shows a change that
programs can notice. The tests come from the source archive of the client on the package
index. They run outside the checkout, in one environment per instrumentation. What is
special of a client is in `plugin/client_suites`, one module each.
"""
