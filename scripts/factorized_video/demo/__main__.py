"""Run the demo gateway alone, to develop a client against it.

Example:
    python3 scripts/factorized_video/demo --port 8787
"""

import argparse
import os
import sys

# Run as a folder: the scripts' folder is two levels up.
SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, SCRIPTS)

import _bootstrap

_bootstrap.ensure(os.path.join(SCRIPTS, "factorized_generate.py"))


def build_parser() -> argparse.ArgumentParser:
    """The one option."""
    parser = argparse.ArgumentParser(
        description="The demo gateway: speaks the HappyCapy dialect on 127.0.0.1, free, no key.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    return parser


def main() -> int:
    """Serve until interrupted."""
    import threading

    from factorized_video.demo.server import serve

    args = build_parser().parse_args()
    try:
        with serve(args.port) as root:
            print(f"The demo gateway is at {root} (Ctrl-C ends it). In another shell:")
            print(
                f"  export AI_GATEWAY_BASE_URL={root}   # and add --gateway happycapy", flush=True
            )
            threading.Event().wait()
    except (OSError, OverflowError) as error:
        print(f"error: port {args.port}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
