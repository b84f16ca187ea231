"""Programs with the agents of MLflow's DeepSeek guide; none knows of our package.

python tests/e2e/mlflow_bridge/guide <the name of a function that begins with `run_`>
"""

import sys

import scripts
import services

(vars(scripts) | vars(services))[sys.argv[1]]()
