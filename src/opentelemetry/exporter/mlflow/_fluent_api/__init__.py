"""What the program tells MLflow's fluent API, for the application's spans.

Modules of MLflow are looked up in `sys.modules` and never imported. A name that a
version of MLflow lacks means that the program cannot have said what it stands for.
"""
