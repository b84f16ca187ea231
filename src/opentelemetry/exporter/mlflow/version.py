from importlib.metadata import version

# One wheel, one version: that of the distribution both packages come in.
__version__ = version("opentelemetry-instrumentation-deepseek")
