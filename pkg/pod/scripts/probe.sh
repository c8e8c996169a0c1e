#!/bin/sh
# probe.sh readiness | liveness | startup. POSIX sh; few processes, because it runs every few seconds in every pod.
#
# readiness  this node serves: PONG, and it is a primary or its link is up; not while it has lost its data and has not
#            joined its cluster again. Never cluster_state: one lost shard must not take every pod out of the Service.
# liveness   anything that the server says is life (LOADING, BUSY, MASTERDOWN, NOAUTH ...), and so is a guard that waits.
# startup    the same; it only makes the first readiness come soon.
set -u
LC_ALL=C
export LC_ALL

# shellcheck source=pkg/pod/scripts/common.sh
. "${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}/common.sh"
# shellcheck source=pkg/pod/scripts/validity.sh
. "$config_dir/validity.sh"
# shellcheck source=pkg/pod/scripts/history.sh
. "$config_dir/history.sh"
read_password

# Others set another cluster-node-timeout for a while (the table is in pkg/cluster/model/passing-values.ts), and may be killed
# before they put the configured one back. Then this does, and nobody else has to, in a pod that has this probe:
#   a shorter one (`create` while it forms a cluster, guard.sh, stop.sh) when two runs in a row find the same
#   a longer one (a move, for one big key) when it has been the same for four times itself and a minute: no key takes longer,
#   and a move sets another value for each key
# The stamp has a line `VALUE SINCE`, by the server's clock.
restore_node_timeout() {
  live=$1
  wanted=
  stamp=
  since=
  [ ! -r "$run_dir/node-timeout" ] || read -r wanted <"$run_dir/node-timeout"
  [ -n "$live" ] && [ -n "$wanted" ] || return 0
  [ ! -s "$run_dir/node-timeout-stamp" ] || read -r stamp since <"$run_dir/node-timeout-stamp"
  if [ "$live" -eq "$wanted" ]; then
    [ -z "$stamp" ] || true >"$run_dir/node-timeout-stamp"
  # (A clock that was set back would make it wait for ever.)
  elif [ "$live" != "$stamp" ] || [ "${now:-0}" -lt "${since:-0}" ]; then
    printf '%s %s\n' "$live" "${now:-0}" >"$run_dir/node-timeout-stamp"
  elif [ "$live" -lt "$wanted" ] || [ $((${now:-0} - ${since:-0})) -gt $((live / 250 + 60)) ]; then
    ask "$host" config set cluster-node-timeout "$wanted" >/dev/null
    true >"$run_dir/node-timeout-stamp"
  fi
}

# A connection to an address whose pod has gone leads to the dead pod for as long as it is being opened: connection tracking
# remembers. So while the link is down and nothing is being transferred, the server gives up after 5 s, else after what was
# configured.
keep_link_timeout() {
  live=${2#*repl-timeout?}
  live=${live%%[!0-9]*}
  wanted=
  [ ! -r "$run_dir/repl-timeout" ] || read -r wanted <"$run_dir/repl-timeout"
  [ -n "$live" ] && [ -n "$wanted" ] || return 0
  case $1/$2 in
    down/*master_sync_in_progress:0*) [ "$wanted" -le 5 ] || wanted=5 ;;
  esac
  [ "$live" = "$wanted" ] || ask "$host" config set repl-timeout "$wanted" >/dev/null
}

# The job that brings this node back may have been killed or be stuck: started again when it was silent for a minute.
keep_rejoining() {
  [ -z "$(find "$rejoin_pulse" -mmin -1 2>/dev/null)" ] && [ -s "$run_dir/server-pid" ] || return 0
  read -r server_pid <"$run_dir/server-pid"
  read -r rejoin_pid <"$rejoin_pulse" && [ "$rejoin_pid" -gt 1 ] && kill -9 "$rejoin_pid" 2>/dev/null
  own_address
  [ -n "$address" ] || return 0
  start_rejoin "$server_pid" "$address" >"$log" 2>&1
}

# The job that has the others dial this node anew may have been killed in the middle of it.
keep_bus_port() {
  [ -e "$redialing" ] && [ -z "$(find "$redialing" -mmin -1 2>/dev/null)" ] || return 0
  read -r before <"$redialing" || before=0
  ask "$host" config set cluster-announce-bus-port "$before" >/dev/null
  rm -f "$redialing"
}

# For a nodes.conf that breaks later: the guard then starts with this copy. Redis before 7.0 writes the file in place, so
# one without its last line may be half of it.
keep_last_good() {
  [ ! -e "$last_good" ] || [ -n "$(find "$nodes_conf" -newer "$last_good" 2>/dev/null)" ] || return 0
  cp "$nodes_conf" "$last_good.new" 2>/dev/null || return 0
  if grep -q '^vars currentEpoch [0-9]* lastVoteEpoch [0-9]' "$last_good.new"; then
    mv "$last_good.new" "$last_good"
    [ ! -e "$older_last_good" ] || rm -f "$older_last_good"
  else
    rm -f "$last_good.new"
  fi
}

# For a start with another configuration (volume.sh). The first append-only file of a server is complete when it has been written whole.
note_kept() {
  persistence=
  case $1 in
    *appendonly?yes*) kind=aof ;;
    *appendonly?no*) kind=rdb ;;
    # (The user of the probe may have no right to CONFIG.)
    *)
      persistence=$(ask "$host" info persistence)
      case $persistence in
        *aof_enabled:1*) kind=aof ;;
        *aof_enabled:0*) kind=rdb ;;
        *) return 0 ;;
      esac
      ;;
  esac
  kept=
  [ ! -s "$keeps" ] || read -r kept <"$keeps"
  [ "$kept" != "$kind" ] || return 0
  if [ "$kind" = aof ]; then
    case ${persistence:-$(ask "$host" info persistence)} in
      *aof_rewrite_in_progress:1* | *aof_rewrite_scheduled:1*) return 0 ;;
      *aof_enabled:1*) ;;
      *) return 0 ;;
    esac
  fi
  printf '%s\n' "$kind" >"$keeps.new" && mv "$keeps.new" "$keeps"
}

# A server whose append-only file was removed under it goes on writing to what nobody can open any more, says that all is well, and its next
# start has no data. A rewrite makes the files anew from what is in memory: one a minute, until they are there.
keep_log() {
  case $1 in *appendonly?yes*) ;; *) return 0 ;; esac
  [ ! -e "$data_dir/appendonly.aof" ] || return 0
  [ ! -s "$data_dir/appendonlydir/appendonly.aof.manifest" ] || log_is_torn || return 0
  asked_for=0
  [ ! -s "$run_dir/log-asked-for" ] || read -r asked_for <"$run_dir/log-asked-for"
  since=$(($(date +%s) - asked_for))
  [ "$since" -lt 0 ] || [ "$since" -ge 60 ] || return 0
  case $(ask "$host" info persistence) in *aof_rewrite_in_progress:1*) return 0 ;; esac
  date +%s >"$run_dir/log-asked-for"
  ask "$host" bgrewriteaof >/dev/null
}

# For a start with the image of another product (volume.sh).
note_server() {
  ran=
  now_runs=
  [ ! -s "$run_dir/server" ] || read -r now_runs <"$run_dir/server"
  [ ! -s "$ran_last" ] || read -r ran <"$ran_last"
  [ "$ran" = "$now_runs" ] || [ -z "$now_runs" ] ||
    { printf '%s\n' "$now_runs" >"$ran_last.new" && mv "$ran_last.new" "$ran_last"; }
}

readiness() {
  if [ -e "$run_dir/guard-waiting" ]; then
    read -r reason <"$run_dir/guard-waiting"
    printf 'guard: waiting %s\n' "$reason"
    exit 1
  fi
  if [ -e "$joining" ]; then
    keep_rejoining
    reason=
    [ ! -r "$run_dir/join-waiting" ] || read -r reason <"$run_dir/join-waiting"
    printf 'guard: waiting %s\n' "${reason:-to join its cluster again}"
    exit 1
  fi
  # redis-cli waits for ever for a frozen server.
  answer=$(bounded 3 "$cli" -h "$host" -p "$port" 2>&1 <<END
PING
TIME
INFO replication
CONFIG GET cluster-replica-validity-factor
CONFIG GET appendonly
CONFIG GET repl-timeout
CONFIG GET cluster-node-timeout
END
  )
  case $answer in
    *PONG*role:master*) role=master ;;
    *PONG*role:slave*master_link_status:up*) role=up ;;
    *PONG*role:slave*) role=down ;;
    *) printf '%.200s\n' "$answer" && exit 1 ;;
  esac
  keep_factor "$answer" "$role"
  note_history "$role" "$answer"
  [ "$role" != master ] || note_heard
  keep_link_timeout "$role" "$answer"
  keep_last_good
  keep_bus_port
  note_kept "$answer"
  keep_log "$answer"
  note_server
  case $answer in
    *cluster-node-timeout*) restore_node_timeout "${answer##*[!0-9]}" ;;
  esac
  [ "$role" != down ] || { printf 'the link to the primary is down\n' && exit 1; }
}

liveness() {
  [ ! -e "$run_dir/guard-waiting" ] || exit 0
  answer=$(bounded 3 "$cli" -h "$host" -p "$port" ping 2>/dev/null)
  # A server's reply starts with a word in capitals; what redis-cli says by itself (`Could not connect`, `Error:`) does not.
  case $answer in
    # (Redis 5 puts its warning about a wrong password first.)
    [A-Z][A-Z][A-Z]* | *NOAUTH*) exit 0 ;;
    *) printf 'no answer from %s:%s\n' "$host" "$port" && exit 1 ;;
  esac
}

case ${1:-} in
  readiness) readiness ;;
  liveness | startup) liveness ;;
  *) printf 'usage: probe.sh readiness|liveness|startup\n' >&2 && exit 2 ;;
esac
