"""Other people's clients call DeepSeek under our instrumentation, each in an
environment of its own."""
