from __future__ import annotations

import sys

from examples.otelcol import HOW_TO_GET_IT, CollectorError, build, found


def main() -> int:
    try:
        program = found()
        if program is None:
            print("Building the collector, which takes some minutes …", file=sys.stderr)
            program = build()
    except CollectorError as error:
        print(f"{error}\n{HOW_TO_GET_IT}", file=sys.stderr)
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
