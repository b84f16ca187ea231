from __future__ import annotations

import sys

from examples.otelcol import (
    INSTALL_HINT,
    CollectorError,
    build_collector,
    find_collector,
)


def main() -> int:
    try:
        program = find_collector()
        if program is None:
            print("Building the collector. This takes some minutes …", file=sys.stderr)
            program = build_collector()
    except CollectorError as error:
        print(f"{error}\n{INSTALL_HINT}", file=sys.stderr)
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
