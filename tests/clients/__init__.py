"""Third-party clients call DeepSeek, instrumented, each in its own environment."""
