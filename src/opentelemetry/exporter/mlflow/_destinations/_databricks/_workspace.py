"""The REST API of a Databricks workspace, authenticated by databricks-sdk."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from opentelemetry.exporter.mlflow._destinations._protocol import ExportError
from opentelemetry.exporter.mlflow._missing_package import (
    MissingPackageError,
    install_command,
)

if TYPE_CHECKING:
    from databricks.sdk.core import ApiClient, Config

# How long databricks-sdk may retry a request. Its default is five minutes. The next
# batch tries again, and a program that ends must not hang.
_RETRY_TIMEOUT_SECONDS = 10

_CREDENTIALS_ADVICE = (
    "Set DATABRICKS_HOST and DATABRICKS_TOKEN, or run `databricks auth login`; to use "
    "a profile of ~/.databrickscfg, set MLFLOW_TRACKING_URI to databricks://profile"
)


class WorkspaceError(ExportError):
    """The workspace responded with an error; `error_code` is Databricks' code."""

    def __init__(self, error_code: str, advice: str) -> None:
        super().__init__(f"the workspace rejects the request ({error_code})", advice)
        self.error_code = error_code


class WorkspaceClient:
    """The workspace of a `profile`, or the one that databricks-sdk selects.

    `timeout` limits each request, in seconds. Raises ImportError if databricks-sdk is
    not installed.
    """

    def __init__(self, profile: str | None, timeout: float) -> None:
        _check_sdk_installed()
        # databricks-sdk imports this module. The import fails while the interpreter
        # exits, which is when a short program exports.
        import_module("concurrent.futures.thread")
        self._profile = profile
        self._timeout = timeout
        self._config: Config | None = None
        self._client: ApiClient | None = None

    def after_fork(self) -> None:
        """Drop the connections and the token of the parent process."""
        self._config = self._client = None

    @property
    def host(self) -> str:
        return str(self._open()[0].host)

    def headers(self) -> dict[str, str]:
        """The headers for a request that is not sent with `request`.

        They are valid for some minutes. Raises ExportError.
        """
        config, _ = self._open()
        try:
            return {**config.authenticate(), **_workspace_headers(config)}
        except Exception as error:
            raise self._export_error(error) from error

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the response's JSON.

        Raises WorkspaceError if the workspace responds with an error, and ExportError
        if it does not respond.
        """
        config, client = self._open()
        try:
            response: Any = cast("Any", client).do(
                method, path, query=query, body=body, headers=_workspace_headers(config)
            )
        except Exception as error:
            raise self._export_error(error) from error
        return cast("dict[str, Any]", response)

    def _open(self) -> tuple[Config, ApiClient]:
        from databricks.sdk.core import ApiClient, Config

        if self._config is None or self._client is None:
            # databricks-sdk ignores credentials of the environment if `profile` is
            # None, but not if it is absent.
            profile: dict[str, Any] = (
                {"profile": self._profile} if self._profile else {}
            )
            try:
                self._config = Config(
                    http_timeout_seconds=self._timeout,
                    retry_timeout_seconds=_RETRY_TIMEOUT_SECONDS,
                    **profile,
                )
                self._client = ApiClient(self._config)
            except Exception as error:
                raise self._export_error(error) from error
        return self._config, self._client

    def _export_error(self, error: Exception) -> ExportError:
        """Omit the messages of databricks-sdk, which quote its configuration."""
        from databricks.sdk.core import DatabricksError

        match error:
            case DatabricksError(error_code=str(error_code)):
                return WorkspaceError(
                    error_code,
                    _ADVICE_BY_ERROR_CODE.get(
                        error_code, "See the debug log of databricks-sdk for details"
                    ),
                )
            case ValueError():
                profile = self._profile or "environment or DEFAULT"
                return ExportError(
                    f"databricks-sdk found no credentials (profile: {profile})",
                    _CREDENTIALS_ADVICE,
                )
            case _:
                return ExportError(
                    f"the workspace does not respond ({type(error).__name__})",
                    "Check DATABRICKS_HOST, the network and HTTPS_PROXY",
                )


_ADVICE_BY_ERROR_CODE = {
    "PERMISSION_DENIED": "Sign in again (databricks auth login), or ask for permission "
    "to edit the experiment",
    "UNAUTHENTICATED": _CREDENTIALS_ADVICE,
    "RESOURCE_DOES_NOT_EXIST": "Set MLFLOW_EXPERIMENT_ID to an experiment of this "
    "workspace, or MLFLOW_EXPERIMENT_NAME, which is created if it does not exist",
    "INVALID_PARAMETER_VALUE": "Check that the folder in MLFLOW_EXPERIMENT_NAME exists",
}


def _workspace_headers(config: Config) -> dict[str, str]:
    """Select the workspace on a host that serves several workspaces."""
    workspace_id = config.workspace_id
    return {"X-Databricks-Org-Id": str(workspace_id)} if workspace_id else {}


def _check_sdk_installed() -> None:
    """Raise ImportError if not. Importing databricks-sdk would take half a second."""
    try:
        is_installed = find_spec("databricks.sdk") is not None
    except ModuleNotFoundError:
        is_installed = False
    if not is_installed:
        raise MissingPackageError(
            "Exporting to Databricks requires the package databricks-sdk",
            install_command("databricks"),
        )
