#!/bin/sh
# links.sh SERVER-PID: has the other nodes dial this one anew where they are stuck. Runs beside the server after its start; ends with it,
# once the link of everybody who answers has arrived, or after two minutes, when they give up themselves.
#
# Who dials a Service that still leads to the pod before is stuck for those two minutes (connection tracking remembers, and
# a server does not give up the link to a node that it hears), and all that it has to tell this node is lost: its vote, or a
# request for ours. Only the one who is dialed can end that: servers drop their link to a node that announces another address or port.
# So this node announces the second bus port of its Service, which leads to the same, until all have arrived, and its own again. Its
# address stays what it is: a node is known by that. Needs CLUSTER LINKS, 7.0, and a Service that has the port.
set -u
# shellcheck source=pkg/pod/scripts/common.sh
. "${KUBECTL_REDIS_CONFIG_DIR:-/etc/redis}/common.sh"
server_pid=$1
second_bus=${KUBECTL_REDIS_SECOND_BUS_PORT:-}
# Looks, two a second. A server dials ten times a second, so that a link which is missing for three looks is stuck.
max_looks=240
max_tries=4
quiet_looks=8
stuck_looks=3

say() { printf 'guard: %s\n' "$*"; }

# Sets arrived, stuck (that answer this node, without a link of theirs here) and unheard (neither), in numbers of nodes.
look_at_links() {
  look=$(printf 'TIME\nINFO server\nCLUSTER LINKS\nCLUSTER NODES\n' | bounded 2 "$cli" -h "$host" -p "$port" 2>/dev/null | awk '
    { sub(/\r$/, "") }
    NR == 1 { now = $1 }
    /^uptime_in_seconds:/ { start = now - substr($0, 19) }
    # An error: a server that does not know the command.
    /^ERR/ { unknown = 1 }
    before == "direction" { direction = $0 }
    before == "node" { id = $0 }
    before == "events" { if (direction == "from") from[id] = 1; else if (/r/) to[id] = 1 }
    { before = $0 }
    '"$node_line"'
    $3 ~ /myself|fail|noaddr/ { next }
    $1 in from { arrived++; next }
    # Opened, and answered: who is stopped, or cut off, would dial nobody.
    ($1 in to) && $6 / 1000 > start + 1 { stuck++; next }
    { unheard++ }
    END { print (unknown ? "unknown" : "known"), arrived + 0, stuck + 0, unheard + 0 }')
  read -r links arrived stuck unheard <<END
$look
END
}

node_timeout_looks() {
  milliseconds=5000
  [ ! -r "$run_dir/node-timeout" ] || read -r milliseconds <"$run_dir/node-timeout"
  printf '%s\n' $((milliseconds / 500 + 2))
}

# The others learn of a port by this node's next ping: within half of its node timeout.
have_them_dial() {
  before=$(ask "$host" config get cluster-announce-bus-port | sed -n 2p)
  case $before in '' | *[!0-9]*) return ;; esac
  say "$stuck nodes dial the pod that was here before, and would for two minutes: announcing the second bus port until they have arrived"
  arrived_before=$arrived
  printf '%s\n' "$before" >"$redialing"
  ask "$host" config set cluster-announce-bus-port "$second_bus" >/dev/null
  looks_left=$(node_timeout_looks)
  while [ "$looks_left" -gt 0 ] && sleep 0.5 && kill -0 "$server_pid" 2>/dev/null; do
    looks_left=$((looks_left - 1))
    look_at_links
    [ "$stuck" -gt 0 ] || break
  done
  ask "$host" config set cluster-announce-bus-port "$before" >/dev/null
  rm -f "$redialing"
  # Who came before dialed again, too, and did not arrive: the port leads nowhere, as where an older manifest of the Service was applied.
  [ "$arrived" -ge "$arrived_before" ] || exit 0
}

[ -n "$second_bus" ] || exit 0
looks=0
tries=0
quiet=0
stuck_for=0
while [ "$looks" -lt "$max_looks" ] && sleep 0.5 && kill -0 "$server_pid" 2>/dev/null; do
  looks=$((looks + 1))
  # A node that is not in its cluster is not dialed.
  [ ! -e "$joining" ] || continue
  look_at_links
  [ "$links" = known ] || exit 0
  if [ "$stuck" -gt 0 ]; then
    quiet=0
    stuck_for=$((stuck_for + 1))
    [ "$stuck_for" -ge "$stuck_looks" ] || continue
    [ "$tries" -lt "$max_tries" ] || exit 0
    tries=$((tries + 1))
    stuck_for=0
    have_them_dial
  else
    stuck_for=0
    [ "$arrived" -gt 0 ] && [ "$unheard" -eq 0 ] || quiet=-1
    quiet=$((quiet + 1))
    [ "$quiet" -lt "$quiet_looks" ] || exit 0
  fi
done
exit 0
