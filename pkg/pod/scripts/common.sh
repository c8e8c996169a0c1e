# Sourced by all the other scripts: where things are, and how to ask a server. POSIX sh (dash, busybox ash).
# shellcheck shell=sh disable=SC2034,SC3028 # each script uses its part; a container has HOSTNAME in its environment

config_dir=${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}
# The record of the cluster, ConfigMap NAME-state. Templates of older versions do not say where: their pods find a copy beside the scripts.
state_dir=${KUBECTL_REDIS_STATE_DIR:-$config_dir}
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
# Of the pod: what a hook or a probe prints itself is thrown away.
log=${KUBECTL_REDIS_LOG:-/proc/1/fd/1}

# Files of ours on the volume. `joining`: this node started without data and has not joined its cluster again; it holds the
# id that its predecessor had. `link`: when the link to the primary was last up. `heard`: when the others were last
# heard here, by a primary. `keeps`: where the server that ran last kept its keys, `aof` or `rdb`. `ended`: when it was stopped in order.
# `data`: of when the data was that it started with, until its link is up. `server`: `redis 806` or `valkey 901`, who ran last.
nodes_conf=$data_dir/nodes.conf
last_good=$data_dir/.kubectl-redis.nodes.conf
# As older scripts named it; whoever removes nodes.conf* takes that as well.
older_last_good=$data_dir/nodes.conf.last-good
joining=$data_dir/.kubectl-redis.joining
link_stamp=$data_dir/.kubectl-redis.link
heard=$data_dir/.kubectl-redis.heard
keeps=$data_dir/.kubectl-redis.keeps
ended=$data_dir/.kubectl-redis.ended
data_stamp=$data_dir/.kubectl-redis.data
ran_last=$data_dir/.kubectl-redis.server
# There from when this container is told to stop.
stopping=$run_dir/stopping

# Valkey first: its images may have the names of Redis as well.
if command -v valkey-cli >/dev/null; then cli=valkey-cli; else cli=redis-cli; fi

# rejoin.sh, the job beside the server that brings a node back into its cluster, writes its number here in every round.
rejoin_pulse=$run_dir/rejoin-pulse

# Whether the manifest of the append-only file (Redis 7.0 and later) names a base or an increment that is not there.
log_is_torn() {
  [ -s "$data_dir/appendonlydir/appendonly.aof.manifest" ] || return 1
  # `file NAME seq N type b`; what is of type h is on its way out.
  while read -r _ log_file _ _ _ log_type _; do
    case $log_type in
      b | i) [ -e "$data_dir/appendonlydir/$log_file" ] || return 0 ;;
    esac
  done <"$data_dir/appendonlydir/appendonly.aof.manifest"
  return 1
}

# Sets node_timeout, in milliseconds, as configured (start.sh).
read_node_timeout() { [ -r "$run_dir/node-timeout" ] && read -r node_timeout <"$run_dir/node-timeout"; }

# start_rejoin SERVER-PID ADDRESS: in the background; it goes on when its parent ends.
start_rejoin() {
  printf '0\n' >"$rejoin_pulse"
  printf '%s\n' "$1" >"$run_dir/server-pid"
  sh "$config_dir/rejoin.sh" "$1" "$2" </dev/null 9>&- &
}

# links.sh, the job beside the server that has the others dial it anew, keeps this while the second bus port is announced: in it is the
# one before.
redialing=$run_dir/redialing

start_links() {
  [ ! -e "$redialing" ] || rm -f "$redialing"
  sh "$config_dir/links.sh" "$1" </dev/null 9>&- &
}

# The password goes to redis-cli in the environment, never in arguments.
read_password() {
  [ -s "$auth_file" ] || return 0
  IFS= read -r REDISCLI_AUTH <"$auth_file" || :
  export REDISCLI_AUTH
}

# bounded SECONDS COMMAND: kills it after so long; redis-cli itself would wait for ever for a frozen server. Not `timeout`:
# that of busybox leaves a watcher behind which signals whoever has the number of its process by then, and which becomes a
# zombie, because process 1 is the server and reaps nobody. Everything that this starts has ended when it returns: the
# command ends the nap, or the nap the command, and no signal can come before its receiver is ready for it.
bounded() {
  sleep "$1" >/dev/null 2>&1 &
  nap=$!
  shift
  {
    (
      late=
      trap 'late=yes; kill -9 "$bounded_pid"' TERM
      "$@" <&3 3<&- &
      bounded_pid=$!
      wait "$bounded_pid"
      bounded_code=$?
      wait "$bounded_pid" 2>/dev/null
      [ -n "$late" ] || kill "$nap"
      exit "$bounded_code"
    ) &
    runner=$!
  } 3<&0
  wait "$nap" 2>/dev/null && kill "$runner" 2>/dev/null
  wait "$runner"
}

# ask ADDRESS COMMAND: 2 s at most. Without descriptor 9, the lock.
ask() {
  ask_address=$1
  shift
  bounded 2 "$cli" -h "$ask_address" -p "$port" "$@" 2>/dev/null </dev/null 9>&-
}

# ask_each DIRECTORY COMMANDS, with lines `KEY ADDRESS` as input: asks all side by side, one command a line; the answers are
# files named KEY, which end in a line `answered_at:SECONDS` of our own clock. Sets asked to how many there are; nobody listens at the
# address `-`.
ask_each() {
  rm -rf "$1"
  mkdir -p "$1"
  true >"$1/none"
  asked=0
  while read -r key ip _; do
    asked=$((asked + 1))
    [ "$ip" = - ] || {
      printf '%s\n' "$2" | bounded 2 "$cli" -h "$ip" -p "$port" 2>/dev/null
      date +answered_at:%s
    } >"$1/$key" 9>&- &
  done
  wait
}

# Sets node_table: the file with lines `N NODE-NAME ADDRESS SHARD`. It may come, or change, while a script runs.
choose_table() {
  for node_table in "$state_dir/nodes" "$config_dir/nodes" /dev/null; do
    [ ! -s "$node_table" ] || return 0
  done
}

# Lines `N ADDRESS` of the other nodes, from the table.
peers() {
  choose_table
  awk -v me="$node" 'NF >= 3 && $1 != me { print $1, $3 }' "$node_table"
}

# Sets address: what this node announces, as its start script found out.
own_address() {
  address=${KUBECTL_REDIS_ANNOUNCE_IP:-}
  [ ! -s "$run_dir/address" ] || read -r address <"$run_dir/address"
}

# For awk: skips what is no line of CLUSTER NODES, else sets at (address), owns (slots) and fails, and counts nodes in known[FILENAME] and
# slots in covered[FILENAME]; lives has every id that somebody does not count as failed.
# shellcheck disable=SC2016 # the dollars are for awk
node_line='
  length($1) != 40 || $1 ~ /[^0-9a-f]/ || NF < 8 || $3 ~ /handshake/ { next }
  {
    at = $2; sub(/@.*/, "", at); sub(/:[0-9]*$/, "", at)
    # Not nofailover, the flag of one that takes over only when it is told.
    fails = $3 ~ /(^|,)fail/
    if ($3 !~ /(^|,)fail(,|$)/) lives[$1] = 1
    owns = 0
    for (i = 9; i <= NF; i++) if ($i !~ /^\[/) { owns = 1; covered[FILENAME] += split($i, range, "-") < 2 ? 1 : range[2] - range[1] + 1 }
    known[FILENAME]++
  }'

# For awk, with asked_at, began (of this guard) and lately: what a peer says of when it heard a node last.
# shellcheck disable=SC2016 # the dollars are for awk
node_heard='
  # A start counts as a sign of life of all others, and is known to the second.
  function is_sign(pong, started) { return pong > 0 && pong / 1000 > started + 1 }
  # At the earliest: reckoned from before it was asked, and both clocks tell whole seconds.
  function is_since_began(age) { return asked_at - age - 1 > began + 1 }
  function is_lately(age) { return is_since_began(age) && age <= lately }'

# Peers ping each other within half a node timeout, and some of them much sooner. Sets listens: after so many seconds a node that lives has been
# heard; and lately: it was at most so long ago.
read_hearing() {
  listens=5
  lately=30
  ! read_node_timeout || listens=$((node_timeout / 2000 + 3))
  [ "$lately" -ge $((listens * 2)) ] || lately=$((listens * 2))
}

# leave_out_strangers DIRECTORY LIST SELF [KEY]: takes away the answers (ask_each) of those who know others, and neither this node (address, SELF),
# nor anybody at another address of LIST, nor anybody who answered: they are of another cluster, a Service of which has the address by
# now. Not that of KEY, which is this node. Sets strangers to how many there were.
leave_out_strangers() {
  awk -v me="$address" -v self="$3" -v list="$2" -v own="$1/${4:--}" '
    FILENAME == list { if ($1 !~ /^old-/) listed[$2] = 1; next }
    '"$node_line"'
    { if ($3 ~ /myself/) { file_of[$1] = FILENAME; own_at[FILENAME] = at } else says[FILENAME, $1] = at }
    END {
      for (pair in says) {
        split(pair, part, SUBSEP)
        there = says[pair]
        # (Who has no address there may be this node.)
        if (there == me || there == "" || part[2] == self || ((there in listed) && there != own_at[part[1]])) kin[part[1]] = 1
        if ((part[2] in file_of) && file_of[part[2]] != part[1]) { kin[part[1]] = 1; kin[file_of[part[2]]] = 1 }
      }
      for (file in known) if (known[file] > 1 && !(file in kin) && file != own) print file
    }' "$2" "$1"/* >"$run_dir/strangers"
  strangers=0
  while read -r file; do
    rm -f "$file"
    strangers=$((strangers + 1))
  done <"$run_dir/strangers"
}
