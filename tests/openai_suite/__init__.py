"""openai-python's own tests, with and without an instrumentation.

    python -m tests.openai_suite

A test of the SDK that passes bare, and does not once somebody watches its calls, is a
change that a program would see. The tests come from the SDK's source archive on the
package index, and run outside the checkout, in an environment for each instrumentation.
"""
