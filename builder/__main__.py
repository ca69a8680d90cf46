"""The command line of the builder: `python -m builder build` and `python -m builder dist`.

build [--target T ...]   executables, size ledgers and SBOMs into dist/
dist                     all targets, each verified, and the plugin package
"""

import argparse
import os
import sys
import time

from builder import commands, delivery
from builder.failures import BuildError
from builder.pins import load_targets
from builder.plan import Plan
from builder.workshop import open_workshop


def main(arguments: list[str]) -> int:
    """Runs one command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m builder", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many compilers at once")
    subparsers = parser.add_subparsers(dest="command", required=True)
    build = subparsers.add_parser("build", help="executables, size ledgers and SBOMs into dist/")
    build.add_argument("--target", action="append", choices=sorted(load_targets()), help="default: all")
    build.add_argument("--program", choices=["worker"], default="worker")
    subparsers.add_parser("dist", help="all targets, verified, and the plugin package")
    options = parser.parse_args(arguments)
    started_s = time.monotonic()
    try:
        with open_workshop(options.jobs) as workshop:
            plan = Plan(workshop)
            if options.command == "build":
                for target in options.target or sorted(plan.targets):
                    delivery.deliver_worker(plan, target)
            else:
                delivery.deliver_all(plan)
            workshop.forget_unused()
            made = len(workshop.made_s)
    except BuildError as error:
        commands.say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        commands.say("interrupted; what was complete is kept")
        return 130
    commands.say(f"done in {time.monotonic() - started_s:.0f} s, {made} steps made anew")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
