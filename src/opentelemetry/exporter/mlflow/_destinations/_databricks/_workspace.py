"""The REST API of a Databricks workspace, with credentials by databricks-sdk."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._destinations._protocol import ExportError

if TYPE_CHECKING:
    from databricks.sdk.core import ApiClient, Config

# How long databricks-sdk may try again, for which it takes five minutes by default:
# the next batch tries again, and a program that ends does not hang.
_PATIENCE_SECONDS = 10

_CREDENTIALS = (
    "Set DATABRICKS_HOST and DATABRICKS_TOKEN, or run `databricks auth login`; a "
    "profile of ~/.databrickscfg is named so: databricks://profile"
)


class RefusedError(ExportError):
    """`code` is Databricks' word for why."""

    def __init__(self, code: str, advice: str) -> None:
        super().__init__(f"the workspace refuses ({code})", advice)
        self.code = code


class Workspace:
    """That of a `profile`, or else the one that databricks-sdk finds.

    `timeout` is for one request. Raises ImportError without databricks-sdk.
    """

    def __init__(self, profile: str | None, timeout: float) -> None:
        _check_installed()
        # databricks-sdk imports it, and it cannot be imported any more when the
        # interpreter ends: that is when a short program exports.
        import_module("concurrent.futures.thread")
        self._profile = profile
        self._timeout = timeout
        self._config: Config | None = None
        self._client: ApiClient | None = None

    def after_fork(self) -> None:
        """Connections are the parent's, and the state of a token may be, too."""
        self._config = self._client = None

    @property
    def host(self) -> str:
        return str(self._opened()[0].host)

    def headers(self) -> dict[str, str]:
        """For a request that does not go through `ask`; fresh for some minutes."""
        config, _ = self._opened()
        try:
            return {**config.authenticate(), **_organisation(config)}
        except Exception as error:
            raise self._failure(error) from error

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Raises ExportError: RefusedError, if the workspace has answered."""
        config, client = self._opened()
        try:
            answer: Any = cast("Any", client).do(
                method, path, query=query, body=body, headers=_organisation(config)
            )
        except Exception as error:
            raise self._failure(error) from error
        return cast("dict[str, Any]", answer)

    def _opened(self) -> tuple[Config, ApiClient]:
        from databricks.sdk.core import ApiClient, Config

        if self._config is None or self._client is None:
            # A profile of None would switch credentials of the environment off.
            profile: dict[str, Any] = (
                {"profile": self._profile} if self._profile else {}
            )
            try:
                self._config = Config(
                    http_timeout_seconds=self._timeout,
                    retry_timeout_seconds=_PATIENCE_SECONDS,
                    **profile,
                )
                self._client = ApiClient(self._config)
            except Exception as error:
                raise self._failure(error) from error
        return self._config, self._client

    def _failure(self, error: Exception) -> ExportError:
        """Without the texts of databricks-sdk, which quote its configuration."""
        from databricks.sdk.core import DatabricksError

        match error:
            case DatabricksError(error_code=str(code)):
                return RefusedError(
                    code, _ADVICE.get(code, "Its message is in debug logs")
                )
            case ValueError():
                name = self._profile or "of the environment, or DEFAULT"
                return ExportError(
                    f"databricks-sdk finds no credentials (profile {name})",
                    _CREDENTIALS,
                )
            case _:
                return ExportError(
                    f"the workspace does not answer ({type(error).__name__})",
                    "Check DATABRICKS_HOST, the network and HTTPS_PROXY",
                )


_ADVICE = {
    "PERMISSION_DENIED": "Sign in again (databricks auth login), or ask for the "
    "permission to edit the experiment",
    "UNAUTHENTICATED": _CREDENTIALS,
    "RESOURCE_DOES_NOT_EXIST": "Set MLFLOW_EXPERIMENT_ID to an experiment of this "
    "workspace, or MLFLOW_EXPERIMENT_NAME, which is created when it is missing",
    "INVALID_PARAMETER_VALUE": "Check that the folder in MLFLOW_EXPERIMENT_NAME exists",
}


def _organisation(config: Config) -> dict[str, str]:
    """One host may serve several workspaces."""
    number = config.workspace_id
    return {"X-Databricks-Org-Id": str(number)} if number else {}


def _check_installed() -> None:
    """Without importing it, which takes half a second."""
    try:
        is_there = find_spec("databricks.sdk") is not None
    except ModuleNotFoundError:
        is_there = False
    if not is_there:
        raise ImportError(
            "Databricks needs the package databricks-sdk: pip install "
            "'opentelemetry-instrumentation-deepseek[databricks]'"
        )
