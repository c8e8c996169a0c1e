# Sourced by what people start on a fresh clone, in the root of the project: sets up what is missing, says so, and asks nothing.
# shellcheck shell=bash

# need_node WHO: exit code 2 and one sentence when there is none, or one that is too old.
need_node() {
  local found
  found=$(node -p 'process.versions.node.split(".").slice(0, 2).map(Number).join(" ")' 2>/dev/null) || found=
  # shellcheck disable=SC2086 # two words on purpose
  set -- "$1" $found
  if [ $# != 3 ] || [ "$2" -lt 20 ] || { [ "$2" = 20 ] && [ "$3" -lt 19 ]; }; then
    echo "$1 needs Node 20.19 or newer: install it, then run this again." >&2
    exit 2
  fi
}

# Also where package.json has something new since.
need_modules() {
  [ node_modules/.package-lock.json -nt package-lock.json ] && return
  [ -L node_modules ] && return
  echo "node_modules is missing or old: npm ci"
  npm ci --no-audit --no-fund --loglevel=error || exit 2
}

build_if_old() {
  if [ ! -e dist/kubectl-redis.js ] || [ -n "$(find cmd pkg package.json build.mjs -newer dist/kubectl-redis.js -print -quit)" ]; then
    echo "dist/ is missing or old: npm run build"
    npm run --silent build || exit 1
  fi
}
