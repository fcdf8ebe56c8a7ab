#!/usr/bin/env bash
# Generate three first frames, look at them, choose one, and only then pay for the clip.
#
#   bash examples/choose-a-frame.sh                    at the demo gateway: free
#   GATEWAY=auto MAX_COST=3 bash examples/choose-a-frame.sh    with your key, for at most USD 3
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../scripts" && pwd)
# The same words each time: that is how the second command finds what the first one made.
command=(python3 "$scripts/factorized_generate.py" --gateway "${GATEWAY:-demo}"
  --prompt "Three red balls roll slowly to the left of a blue box" --output outputs/balls.mp4
  --candidates 3 --max-cost "${MAX_COST:-3}")

# Stops when the three are there, and prints the path of the contact sheet that shows them.
sheet=$("${command[@]}")
echo "Look at $sheet"
if [ -t 0 ]; then
  read -r -p "Which one, 1 to 3? " number
else
  number=1
fi

# Uses that one, for free, and makes the clip.
"${command[@]}" --select "$number"
