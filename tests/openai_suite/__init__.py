"""Runs openai-python's own tests with and without an instrumentation.

    python -m tests.openai_suite

A test of the SDK that passes without an instrumentation and fails with it shows a
change that programs can notice. The tests come from the SDK's source archive on the
package index. They run outside the checkout, in one environment per instrumentation.
"""
