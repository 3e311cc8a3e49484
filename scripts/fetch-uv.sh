#!/bin/sh
# Fetch uv into .tools/uv with nothing but Python and a package index. Usage: fetch-uv.sh VERSION
set -eu

version=$1
place=.tools/uv

python=
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "reportbus needs Python 3.11 or newer, and none is on the PATH; PYTHON=/path/to/python names one." >&2
    exit 1
fi

rm -rf "$place"
mkdir -p .tools
if "$python" -m venv "$place" >.tools/log 2>&1; then
    "$place/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$version"
elif "$python" -m pip --version >>.tools/log 2>&1; then
    # Debian's python3 without python3-venv: pip alone will do.
    rm -rf "$place"
    "$python" -m pip install --quiet --disable-pip-version-check --target "$place" "uv==$version"
else
    rm -rf "$place"
    echo "reportbus fetches its tools with Python's venv or pip, and $(command -v "$python") has neither." >&2
    echo "Install one of them (on Debian and Ubuntu: apt-get install python3-venv), or put uv on the PATH." >&2
    exit 1
fi
"$place/bin/uv" --version
