"""Say which gateway is chosen and why; with --check ask it, free, whether it takes the key.

Example:
    python3 scripts/factorized_video/which_gateway.py --check

A line for each, "fv WHAT ok|bad DETAIL", as `setup.sh` reads them. Exit codes as of the scripts.
"""

import argparse
import os
import sys

# Run by its path: the scripts' folder is one level up.
SCRIPTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = SCRIPTS

import _bootstrap

_bootstrap.ensure(os.path.join(SCRIPTS, "factorized_generate.py"))


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    from .cli.options import GATEWAYS

    parser = argparse.ArgumentParser(
        description="Says which gateway is chosen, and why.", allow_abbrev=False
    )
    parser.add_argument("--gateway", choices=GATEWAYS, default="auto", help="as of the scripts")
    parser.add_argument("--check", action="store_true", help="also ask whether it takes the key")
    return parser


def main() -> int:
    """Choose, ask, print."""
    from .cli.exit_codes import EXITS
    from .errors import ToolError
    from .gateway import open_gateway, settings

    args = build_parser().parse_args()
    what = "gateway"
    try:
        chosen = settings.resolve(args.gateway)
        host = chosen.identity["host"]
        tell(what, "ok", f"{chosen.name} at {host} ({chosen.why})")
        for warning in chosen.warnings:
            tell("warning", "bad", warning)
        if args.check:
            what = "key"
            with open_gateway(chosen, lambda text: None) as gateway:
                account = gateway.check()
                taken = "taken" if chosen.key else "none is wanted"
                told = account.balance_usd
                balance = "no balance is told" if told is None else f"balance USD {told:.2f}"
                tell(what, "ok", f"{taken} by {gateway.about.title}; {balance}")
    except ToolError as error:
        tell(what, "bad", error.message)
        tell("mend", "bad", error.hint)
        return EXITS[error.kind][0]
    return 0


def tell(what: str, state: str, detail: str) -> None:
    """One line."""
    print("fv", what, state, " ".join(detail.split()).rstrip("."), flush=True)


if __name__ == "__main__":
    sys.exit(main())
