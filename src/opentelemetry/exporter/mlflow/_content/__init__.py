"""Message content on its way to MLflow: held apart from spans, and redacted."""
