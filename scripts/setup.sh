#!/usr/bin/env bash
# Looks whether everything is here that the scripts need; --install makes it so.
# For bash 3.2 (macOS), and without Python as long as possible: where there is none, it must say so.
set -u
export LC_ALL=C # bytes: the same everywhere, and JSON escaping needs no more
unset CDPATH
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac # as called, for the commands that are shown
skill=$(cd -- "$here/.." && pwd -P) || exit 1
# A venv cannot be moved once made. So it is made in its place, the former one waits in the lock's
# folder until that has succeeded, and the marker is written last: the requirements it was made for.
venv=$skill/.venv marker=$skill/.venv/.complete lock=$skill/.venv.lock
nl=$'\n'

usage() {
  cat <<END
usage: bash $(quoted "$0") [--install] [--check-key] [--gateway NAME] [--json]

Looks whether everything is here that the scripts need, and changes nothing.
  --install   makes what is missing: a .venv in the skill folder with the four packages
  --check-key also asks the gateway, free, whether it takes the key, and shows the balance
  --gateway   which one, as the scripts' option of that name (default: auto)
  --json      one JSON document on stdout, everything else on stderr

examples:   bash $(quoted "$0")
            bash $(quoted "$0") --install --json
exit codes: 0 a run without a key works (--gateway demo)
            1 something needed is missing, the installation failed, or --check-key did
            2 usage     130 interrupted: everything is as it was before
END
}

say() { printf '%s\n' "$*" >&2; }

quoted() { # $1 as one word that can be pasted into a shell
  local rest=$1 out='' mark="'"
  case $rest in "" | *[!A-Za-z0-9_./:@%+=,-]*) ;; *) printf %s "$rest" && return ;; esac
  while [ "$rest" != "${rest#*"$mark"}" ]; do
    out=$out${rest%%"$mark"*}"'\\''"
    rest=${rest#*"$mark"}
  done
  printf "'%s'" "$out$rest"
}

json() { # $1 as a JSON string; nothing at all is null
  local out='' c i
  case $1 in
  "") printf null && return ;;
  *[\"\\[:cntrl:]]*) ;;
  *) printf '"%s"' "$1" && return ;;
  esac
  for ((i = 0; i < ${#1}; i++)); do
    c=${1:i:1}
    case $c in
    '"' | \\) out=$out\\$c ;;
    [[:cntrl:]]) printf -v c '\\u%04x' "'$c" && out=$out$c ;;
    *) out=$out$c ;;
    esac
  done
  printf '"%s"' "$out"
}

# ---- the check ----

# One start of a Python tells everything, a line each: "fv NAME STATE DETAIL". "found" is the rule of
# _bootstrap.py; a package is ok when it really imports. Flushed, as a broken one may crash Python.
probe_code='
import sys
from importlib.util import find_spec
if sys.path[:1] == [""]:
    sys.path[0] = sys.argv[1]  # what a script run by its path sees, not the working directory
def tell(name, state, detail):
    print("fv", name, state, detail, flush=True)
recent = sys.version_info >= (3, 10)
tell("python", "ok" if recent else "bad", "%d.%d.%d " % tuple(sys.version_info[:3]) + sys.executable)
if recent:
    from importlib.metadata import PackageNotFoundError, version
    modules = {"requests": "requests.sessions", "python-dotenv": "dotenv.main",
               "pillow": "PIL.Image", "av": "av.container"}
    absent = [name for name, module in modules.items() if not find_spec(module.split(".")[0])]
    tell("found", "bad" if absent else "ok", "")
    for name, module in modules.items():
        if name in absent:
            tell(name, "bad", "not installed")
            continue
        try:
            __import__(module)
            tell(name, "ok", version(name))
        except PackageNotFoundError:  # imports, but was not installed by pip
            tell(name, "ok", "(version unknown)")
        except BaseException as error:
            text = "broken: %s: %s" % (type(error).__name__, error)
            tell(name, "bad", " ".join(text.split())[:160])
'

probe() { "$1" -B -c "$probe_code" "$skill/scripts" 2>/dev/null </dev/null; }

told() { # sets state and detail to what the probe output $1 says of $2
  local rest=${1#*"fv $2 "}
  if [ "$rest" = "$1" ]; then state=none detail='' && return; fi
  rest=${rest%%"$nl"*}
  state=${rest%% *} detail=${rest#* }
}

add() { # name, group, state, detail, what does not work without it, what mends it
  local good=true mark=ok line="$1 $4" mend=''
  if [ "$3" != ok ]; then
    good=false mark=missing mend=$6 line="$1: $4. Without it: $5. Mend: $6"
    case $2$1 in
    optional*) mark=absent line="$1: $4. $5" ;;
    *AI_GATEWAY_API_KEY | somegateway | "somekey check") ;;
    *) ready=false ;;
    esac
  fi
  if [ "$group" != "$2" ]; then
    group=$2
    case $2 in
    needed) table=Needed$nl ;;
    some) table="$table${nl}Needed for some things$nl" ;;
    *) table="$table${nl}Optional$nl" ;;
    esac
  fi
  printf -v mark '%-8s' "$mark"
  table="$table$mark $line$nl"
  [ "$as_json" = yes ] || return 0
  checks="$checks${checks:+, }{\"name\": $(json "$1"), \"group\": \"$2\", \"ok\": $good, \"detail\": $(json "$4"),"
  checks="$checks \"without\": $(json "$5"), \"mend\": $(json "$mend")}"
}

add_package() { # name, group, what does not work without it
  local mend=$install_command
  told "$probed" "$1"
  case $1$state in requestsok | python-dotenvok) ;; requests* | python-dotenv*) speaks=no ;; esac
  # The scripts stay with a python3 that finds all four, .venv or not: so that one must be mended.
  [ "$all_found" != ok ] || mend="python3 -m pip install --force-reinstall $1"
  add "$1" "$2" "$state" "${detail:-$if_untold}" "$3" "$mend"
}

# Looked for, never read into a variable: not even bash -x shows it. Of a file the last such line
# counts, as for python-dotenv; empty or blank is none.
key_in() {
  local name='^[[:space:]]*(export[[:space:]]+)?AI_GATEWAY_API_KEY[[:space:]]*=[[:space:]]*'
  [ -f "$1" ] && grep -E "$name" "$1" 2>/dev/null | tail -n 1 |
    grep -Eq "$name(\"[[:space:]]*[^\"[:space:]]|'[[:space:]]*[^'[:space:]]|[^\"'#[:space:]])"
}

ask_gateway() { # fills said: which one would be spoken to, and why; with --check-key what it answers
  local python=python3
  said='' key_fails=''
  [ "$source" = python3 ] || python=$venv/bin/python
  if [ $speaks = no ]; then
    [ "$checking" = no ] || key_fails="a package is missing; first: $install_command"
    return 0
  fi
  set -- --gateway "$gateway"
  [ "$checking" = no ] || set -- "$@" --check
  said=$("$python" -B "$skill/scripts/factorized_video/which_gateway.py" "$@" 2>/dev/null </dev/null)
  if [ $? -eq 2 ] && [ -z "$said" ]; then
    finish 2 usage "no such gateway: $gateway" \
      "python3 $(quoted "$here/factorized_generate.py") --help names them." "bash $(quoted "$0") --help"
  fi
}

add_gateway() { # state of the key: the rows of what the gateway said
  local mend=''
  told "$said" mend && mend=$detail
  told "$said" gateway
  # Without a key its own row has said it all, but where a gateway's own variable is set.
  case $state$1$mend in
  none*) return 0 ;;
  ok* | badok* | *" is set: "*) add gateway some "$state" "$detail" "no gateway but demo" "$mend" ;;
  esac
  [ "$checking" = yes ] || return 0
  if [ "$state" = ok ]; then told "$said" key; fi
  add "key check" some "$state" "$detail" "nothing can be made there" "$mend"
  [ "$state" = ok ] || key_fails="$detail. $mend"
}

look() { # fills table, checks, python_json, ready
  local inside name folder said key_row note=''
  table='' checks='' group='' python_json=null ready=true speaks=yes source=python3 runner=python3
  probed=$(probe python3)
  told "$probed" found && all_found=$state
  if [ "$all_found" != ok ] && { [ -e "$venv" ] || [ -L "$venv" ]; }; then
    inside=$(probe "$venv/bin/python")
    told "$inside" python
    if [ "$state" != ok ]; then
      note="; the .venv in the skill folder does not run"
    else
      if [ -z "$probed" ]; then
        note="; there is no python3: start the scripts with this one" runner=$(quoted "$venv/bin/python")
      fi
      probed=$inside source=.venv
    fi
  fi
  told "$probed" python
  name="no python3 that runs"
  if_untold="there is no Python that can have it"
  if [ "$state" = ok ]; then
    name="${detail%% *} ($source) at ${detail#* }" if_untold="Python crashes when the packages are imported"
  fi
  [ "$state" != bad ] || name="python3 is ${detail%% *}, needed is 3.10 or newer"
  [ "$state" = none ] || python_json="{\"path\": $(json "${detail#* }"), \"version\": $(json "${detail%% *}")"
  [ "$state" = none ] || python_json="$python_json, \"source\": \"$source\"}"
  add Python needed "$state" "$name$note" "no script runs" "$install_command"
  add_package requests needed "no gateway can be spoken to, demo included"
  add_package python-dotenv needed "no script runs (it reads the settings)"
  add_package pillow some "no demo gateway, image conversion or measurements"
  add_package av some "no demo gateway or video measurements"
  state=ok
  if printenv AI_GATEWAY_API_KEY | grep -q '[^[:space:]]'; then detail="is in the environment"
  elif key_in "$skill/.env"; then detail="is in .env in the skill folder"
  elif key_in .env.local; then detail="is in .env.local in the working directory"
  elif key_in .env; then detail="is in .env in the working directory"
  else state=none detail="not set"; fi
  key_row=$state
  ask_gateway
  case $said in *"fv gateway ok demo "*) ;; *"fv gateway ok "*)
    [ $key_row = ok ] || key_row=ok detail="is not set, and not needed there" ;;
  esac
  state=$key_row
  add AI_GATEWAY_API_KEY some $state "$detail" "no gateway but demo" \
    "put the line AI_GATEWAY_API_KEY=<your key> into $(quoted "$skill/.env")"
  add_gateway $key_row
  state=ok detail=$(node --version 2>/dev/null </dev/null) || state=none detail="not found"
  add Node.js optional $state "$detail" "$not_needed" ""
  for name in generate-image generate-video; do
    state=none detail="not found"
    for folder in "${HOME:-}/.claude/skills/$name" "${skill%/*}/$name"; do
      if [ -d "$folder" ]; then state=ok detail="in $folder"; fi
    done
    add "$name" optional $state "$detail" "$not_needed" ""
  done
}

finish() { # exit code; of an error also its kind, message, hint, and the next command
  local next=${5:-$install_command} status=failed error=''
  if [ "$1" -eq 0 ]; then
    status=succeeded
    next="$runner $(quoted "$here/factorized_generate.py") --gateway demo --prompt 'A cat jumps onto a couch'"
  fi
  if [ "$as_json" = yes ]; then
    [ $# -eq 1 ] || error=", \"error\": {\"kind\": \"$2\", \"message\": $(json "$3"), \"hint\": $(json "$4")}"
    printf '{"status": "%s", "ready": %s, "python": %s, "checks": [%s], "next": %s%s}\n' \
      "$status" "$ready" "$python_json" "$checks" "$(json "$next")" "$error"
  elif [ "$1" -lt 2 ]; then
    printf '%s\n' "$table"
    if [ "$1" -eq 0 ]; then echo "Ready: a run without a key works. For example:"; else echo "Next:"; fi
    printf '  %s\n' "$next"
  fi
  [ $# -eq 1 ] || say "error: $3$nl$4"
  exit "$1"
}

# ---- the installation ----

run() { # in the background, so that a signal is heard at once; what it says goes to the log
  "$@" >"$lock/log" 2>&1 </dev/null &
  child=$!
  echo "$child" >"$lock/child"
  wait "$child"
  set -- $?
  child=''
  return "$1"
}

roll_back() { # everything as before: the former .venv works again when it is back in its place
  if [ -e "$lock/old" ] || [ -L "$lock/old" ]; then
    rm -rf "$venv"
    mv "$lock/old" "$venv"
  elif [ "$former" = no ]; then
    rm -rf "$venv"
  fi
}

# shellcheck disable=SC2329 # called by the EXIT trap
leave() {
  [ "$building" = no ] || roll_back
  [ "$locked" = no ] || rm -rf "$lock"
}

# shellcheck disable=SC2329 # called by the signals' trap
interrupted() {
  trap '' INT TERM HUP
  if [ -n "$child" ]; then kill "$child" 2>/dev/null && wait "$child" 2>/dev/null; fi
  finish 130 interrupted "interrupted" "Everything is as it was before. Again: $install_command"
}

failed() { # message, hint, next command; the last words of what failed are shown
  if [ "$locked" = yes ] && [ -s "$lock/log" ]; then tail -n 12 "$lock/log" >&2; fi
  [ "$building" = no ] || roll_back
  building=no
  look
  finish 1 install "$1" "$2" "${3:-$install_command}"
}

holders() { cat "$lock/pid" "$lock/child" 2>/dev/null; } # the other setup.sh, and its pip

gone() { # are all of these processes? (kill -0 alone fails for another user's, too)
  local pid
  [ -n "$1" ] || sleep 1 # a lock that was made this moment has no name in it yet
  for pid in $1; do
    case $(ps -o stat= -p "$pid" 2>/dev/null) in
    *Z*) ;; # dead; in a container nobody may ever collect it
    "") if kill -0 "$pid" 2>/dev/null; then return 1; fi ;; # or there is no ps
    *) return 1 ;;
    esac
  done
}

# mkdir is atomic. A lock whose processes are gone is taken over, by one only: by the one that makes
# "takeover" in it and then still finds the same dead names.
take_lock() {
  local seen tries=0
  until mkdir "$lock" 2>/dev/null && echo $$ >"$lock/pid"; do
    [ -w "$skill" ] || failed "cannot write in $skill" "Install as the user whom the folder belongs to."
    seen=$(holders)
    if gone "$seen" && mkdir "$lock/takeover" 2>/dev/null; then
      if [ "$(holders)" = "$seen" ]; then
        echo $$ >"$lock/pid"
        rm -rf "$lock/child" "$lock/takeover"
        break
      fi
      rmdir "$lock/takeover" 2>/dev/null
    fi
    tries=$((tries + 1))
    [ $tries -ne 1 ] || say "waiting for another --install (process ${seen%%"$nl"*})"
    [ $tries -le 1500 ] || failed "another --install has been at work for 5 minutes" \
      "If there is none: rm -r $(quoted "$lock")"
    sleep 0.2 2>/dev/null || sleep 1
  done
  locked=yes
}

requirements() { # from pyproject.toml, where they are written once; no tomllib in Python 3.10
  "$venv/bin/python" -B -c '
import re, sys
text = re.sub("#.*", "", open(sys.argv[1], encoding="utf-8").read())
for key in "dependencies", "media":
    print(*re.findall("\"(.+?)\"", re.search(r"(?ms)^%s\s*=\s*\[(.*?)\]\s*$" % key, text)[1]), sep="\n")
' "$skill/pyproject.toml"
}

up_to_date() { # ready, and a .venv made by this script was made for what is required now
  [ "$ready" = true ] || return 1
  [ "$source" = python3 ] || [ ! -f "$marker" ] || [ "$(cat "$marker")" = "$(requirements 2>/dev/null)" ]
}

make_venv() { # with the newest Python that can; sets installer
  local python
  for python in python3.14 python3.13 python3.12 python3.11 python3.10 python3; do
    # Run, not only found: a pyenv shim may lead nowhere, Debian's Python may lack ensurepip.
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' \
      >/dev/null 2>&1 </dev/null || continue
    say "making .venv with $python"
    run "$python" -m venv "$venv" && installer=pip && return
    rm -rf "$venv"
  done
  command -v uv >/dev/null || return 1
  installer=uv
  say "making .venv with uv"
  run uv venv -q --no-cache --no-project --no-python-downloads --python '>=3.10' "$venv" && return
  say "uv fetches a Python, into its own folder"
  rm -rf "$venv"
  run uv venv -q --no-cache --no-project --python 3.12 "$venv"
}

install() {
  local package="sudo apt-get install python3-venv"
  look
  if [ ! -d "$lock" ] && up_to_date; then say "everything is there: nothing to install" && return; fi
  [ "$all_found" != ok ] || [ "$ready" = true ] ||
    failed "python3 has a broken package, and the scripts would use it in spite of a .venv" \
      "Mend or remove it as its line says." "bash $(quoted "$0")"
  trap leave EXIT
  trap interrupted INT TERM HUP
  take_lock
  # In a lock that was taken over: the one before was killed in the middle of its work.
  if { [ -e "$lock/log" ] || [ -e "$lock/old" ]; } && [ ! -f "$marker" ]; then roll_back; fi
  rm -rf "$lock/old"
  look # another may just have done it
  if up_to_date; then say "everything is there: nothing to install" && return; fi
  if [ -e "$venv" ] || [ -L "$venv" ]; then former=yes; fi
  building=yes
  if [ "$former" = yes ]; then
    say "the .venv that is there lacks something and is made anew"
    mv "$venv" "$lock/old" || failed "cannot move $venv away" "Does it belong to another user?"
  fi
  if ! make_venv; then
    [ "$(uname -s)" != Darwin ] || package="brew install python@3.12"
    failed "no Python 3.10 or newer was found that can make a .venv" \
      "Debian, Ubuntu: sudo apt-get install python3-venv; macOS: brew install python@3.12; \
or uv (https://docs.astral.sh/uv/). Then: $install_command" "$package"
  fi
  requirements >"$lock/requirements" 2>"$lock/log" ||
    failed "cannot read the packages in $skill/pyproject.toml" "Is the skill folder whole?"
  say "installing $(tr '\n' ' ' <"$lock/requirements")"
  # --no-cache: nothing is written outside the skill folder.
  if [ "$installer" = uv ]; then
    set -- uv pip install -q --no-cache --python "$venv/bin/python"
  else
    set -- "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-input --no-user \
      --no-cache-dir --prefer-binary
  fi
  run "$@" -r "$lock/requirements" ||
    failed "$installer could not install the packages: $(tail -n 1 "$lock/log")" \
      "Is there a network (proxy: HTTPS_PROXY; a mirror: PIP_INDEX_URL)? Then again: $install_command"
  # python, found and the four packages
  if [ "$(probe "$venv/bin/python" | tee "$lock/log" | grep -c '^fv [a-z0-9-]* ok ')" -ne 6 ]; then
    failed "the packages are installed but do not all import: see above" "Again: $install_command"
  fi
  mv "$lock/requirements" "$marker"
  building=no
  look
}

# ---- here it begins ----

as_json=no installing=no wrong='' building=no locked=no former=no child='' installer=''
ready=false python_json=null checks='' table='' group='' all_found=''
checking=no gateway=auto key_fails=''
install_command="bash $(quoted "$0") --install"
not_needed="Nothing is lost: the original skill used it, this one does not."
while [ $# -gt 0 ]; do
  case $1 in
  --install) installing=yes ;;
  --check-key) checking=yes ;;
  --gateway=*) gateway=${1#*=} ;;
  --gateway) [ $# -lt 2 ] || { shift && gateway=$1; } ;;
  --json) as_json=yes ;;
  -h | --help) usage && exit 0 ;;
  *) wrong=${wrong:-$(quoted "$1")} ;;
  esac
  shift
done
[ -z "$wrong" ] || finish 2 usage "unknown option $wrong" "There are --install, --check-key, --gateway, --json and --help." \
  "bash $(quoted "$0") --help"
if [ "$installing" = yes ]; then install; else look; fi
[ -z "$key_fails" ] ||
  finish 1 key "the key check failed: $key_fails" "Then again: bash $(quoted "$0") --check-key" "bash $(quoted "$0") --check-key"
if [ "$ready" = true ]; then finish 0; else finish 1; fi
