#!/usr/bin/env bash
# One clip at the demo gateway: offline, free, no key. Run it from anywhere; outputs go to the
# folder that you are in.
#
#   bash examples/first-run.sh ["a prompt of your own"]
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../scripts" && pwd)
prompt=${1:-"A cat jumping from a bookshelf to the couch"}

# What would be sent, and what it should cost.
python3 "$scripts/factorized_generate.py" --gateway demo --dry-run --prompt "$prompt"

# Prints the path of the clip. Run it again: nothing is made or paid for twice.
python3 "$scripts/factorized_generate.py" --gateway demo --prompt "$prompt" --output outputs/first.mp4
echo "Frames at a glance: outputs/first.filmstrip.png; caption, motion and anchor: outputs/first.stages/"
