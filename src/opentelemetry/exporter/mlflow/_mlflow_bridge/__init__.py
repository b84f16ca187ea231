"""Spans of `@mlflow.trace` and the application's other spans as one tree."""
