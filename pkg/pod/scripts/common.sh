# Sourced by start.sh, probe.sh and stop.sh: where things are, and how to ask a server. POSIX sh (dash, busybox ash).
# shellcheck shell=sh disable=SC2034,SC3028 # each script uses its part; a container has HOSTNAME in its environment

config_dir=${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}
data_dir=${KUBECTL_REDIS_DATA_DIR:-/var/lib/redis}
run_dir=${KUBECTL_REDIS_RUN_DIR:-/tmp}
auth_file=${KUBECTL_REDIS_AUTH_FILE:-/etc/redis-auth/password}
host=${KUBECTL_REDIS_HOST:-127.0.0.1}
port=${KUBECTL_REDIS_PORT:-6379}
node=${KUBECTL_REDIS_NODE:-}
# A template that several pods share names no node: then it is the number at the end of the pod's name.
if [ -z "$node" ]; then
  node=${HOSTNAME:-$(cat /proc/sys/kernel/hostname 2>/dev/null)}
  node=${node##*-}
  case $node in '' | *[!0-9]*) node=0 ;; esac
fi

# Files of ours on the volume. `joining`: this node started without data and has not joined its cluster again; it holds the
# id that its predecessor had. `link`: when the link to the primary was last up.
nodes_conf=$data_dir/nodes.conf
last_good=$data_dir/nodes.conf.last-good
joining=$data_dir/.kubectl-redis.joining
link_stamp=$data_dir/.kubectl-redis.link

# Valkey first: its images may have the names of Redis as well.
if command -v valkey-cli >/dev/null; then cli=valkey-cli; else cli=redis-cli; fi

# The password goes to redis-cli in the environment, never in arguments.
read_password() {
  [ -s "$auth_file" ] || return 0
  IFS= read -r REDISCLI_AUTH <"$auth_file" || :
  export REDISCLI_AUTH
}

# ask ADDRESS COMMAND: 2 s at most; redis-cli itself would wait for ever for a frozen server. Without descriptor 9, the lock.
ask() {
  ask_address=$1
  shift
  timeout 2 "$cli" -h "$ask_address" -p "$port" "$@" 2>/dev/null </dev/null 9>&-
}

# ask_each DIRECTORY COMMANDS, with lines `KEY ADDRESS` as input: asks all side by side, one command a line; the answers are
# files named KEY. Sets asked to how many there are; nobody listens at the address `-`.
ask_each() {
  rm -rf "$1"
  mkdir -p "$1"
  true >"$1/none"
  asked=0
  while read -r key ip _; do
    asked=$((asked + 1))
    [ "$ip" = - ] || printf '%s\n' "$2" | timeout 2 "$cli" -h "$ip" -p "$port" >"$1/$key" 2>/dev/null 9>&- &
  done
  wait
}

# Lines `N ADDRESS` of the other nodes, from the ConfigMap's table with lines `N NODE-NAME ADDRESS SHARD`.
peers() { [ ! -r "$config_dir/nodes" ] || awk -v me="$node" '$1 != me { print $1, $3 }' "$config_dir/nodes"; }

# For awk: skips what is no line of CLUSTER NODES, else sets at (address), owns (slots) and counts in known[FILENAME].
# shellcheck disable=SC2016 # the dollars are for awk
node_line='
  length($1) != 40 || $1 ~ /[^0-9a-f]/ || NF < 8 || $3 ~ /handshake/ { next }
  {
    at = $2; sub(/@.*/, "", at); sub(/:[0-9]*$/, "", at)
    owns = 0
    for (i = 9; i <= NF; i++) if ($i !~ /^\[/) owns = 1
    known[FILENAME]++
  }'
