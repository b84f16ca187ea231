"""Message content for MLflow: a completion hook, pending content and redaction."""
