"""Programs with agents of MLflow's DeepSeek guide; none refers to this package.

`python tests/e2e/mlflow_bridge/programs run_plain` runs one of the functions whose name
begins with `run_`.
"""

import sys

import autolog
import scripts
import services

(vars(scripts) | vars(services) | vars(autolog))[sys.argv[1]]()
