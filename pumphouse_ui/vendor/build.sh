#!/bin/sh
# Makes ../static/vendor/vendor.js and LICENSES.txt anew, in a temporary directory, from the exact versions of
# package-lock.json. Needs node and npm; nobody who only runs Pumphouse does.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cp "$here/package.json" "$here/entry.js" "$work/"
cd "$work"
if [ -f "$here/package-lock.json" ]; then
    cp "$here/package-lock.json" .
    npm ci --no-audit --no-fund
else
    npm install --no-audit --no-fund
    cp package-lock.json "$here/"
fi
mkdir -p "$here/../static/vendor"
npx --no-install esbuild entry.js --bundle --minify --format=esm --target=es2022 --legal-comments=none \
    --outfile="$here/../static/vendor/vendor.js"
{
    echo "vendor.js is made by pumphouse_ui/vendor/build.sh of these packages, unchanged:"
    for name in preact htm @dagrejs/dagre $(cd node_modules && ls -d @dagrejs/* | grep -v '^@dagrejs/dagre$'); do
        dir="node_modules/$name"
        version=$(node -p "require('./$dir/package.json').version")
        licence=$(node -p "require('./$dir/package.json').license")
        printf '\n%s\n%s %s (%s)\n\n' "----------------------------------------" "$name" "$version" "$licence"
        cat "$dir"/LICENSE*
    done
} > "$here/../static/vendor/LICENSES.txt"
wc -c "$here/../static/vendor/vendor.js"
