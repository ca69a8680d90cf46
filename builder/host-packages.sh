#!/bin/sh
# Makes sure that the programs of the named groups of host-packages.txt are on this machine: installs what is missing
# where that needs no question (root, or sudo without a password), else says in one line what to install.
# usage: host-packages.sh GROUP...
set -eu
table=$(dirname "$0")/host-packages.txt

# A command, or lua:MODULE for a module that LuaJIT must find.
is_there() {
    case $1 in
    lua:*) command -v luajit >/dev/null 2>&1 && luajit -e "require('${1#lua:}')" >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing=
for group in "$@"; do
    while read -r name command package; do
        [ "$name" = "$group" ] || continue
        is_there "$command" && continue
        case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
    done <"$table"
done
# Debian splits the venv module from Python itself; a python3 of another origin brings it along.
if command -v python3 >/dev/null 2>&1 && ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    missing="$missing python3-venv"
elif ! command -v python3 >/dev/null 2>&1; then
    missing="$missing python3-venv"
fi
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true >/dev/null 2>&1; then
    as_root=sudo
else
    echo "Missing on this machine:$missing. Install with: sudo $install" >&2
    exit 1
fi
command -v apt-get >/dev/null 2>&1 || { echo "Missing on this machine (names of Debian packages):$missing" >&2; exit 1; }
echo "Installing:$missing"
log=$(mktemp)
if ! { $as_root apt-get update && DEBIAN_FRONTEND=noninteractive $as_root $install; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "Could not install$missing; log: $log. Install them by hand, then run this again." >&2
    exit 1
fi
rm -f "$log"
