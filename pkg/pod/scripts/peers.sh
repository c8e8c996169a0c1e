# Sourced by start.sh: what is known of the cluster before anybody is asked: the record, this volume, the environment.
# shellcheck shell=sh disable=SC2154 # variables of common.sh and start.sh
#
# A guard that believes too early that there are no peers costs a shard. So one word is not enough for it: a manifest that is applied again
# may bring back `formed: false`, and with it a table without addresses.

aside=$data_dir/.kubectl-redis.aside
# Lists of nodes that may be left on the volume, also of an earlier life.
old_lists='nodes.conf .kubectl-redis.nodes.conf nodes.conf.last-good nodes.conf.broken .kubectl-redis.aside/nodes.conf
  .kubectl-redis.aside/.kubectl-redis.nodes.conf .kubectl-redis.aside/nodes.conf.last-good'

# Whether nothing but what every new volume has, and the lock, is on the volume.
volume_is_empty() {
  for entry in "$data_dir"/* "$data_dir"/.[!.]*; do
    case ${entry##*/} in '*' | '.[!.]*' | lost+found | .kubectl-redis.lock) ;; *) return 1 ;; esac
  done
}

# The tool reads it from what a guard says that waits: where all volumes are empty, there is nothing to lose.
emptiness() { ! volume_is_empty || printf ' (its volume is empty)'; }

# Whether the volume remembers a cluster. Not after a person has agreed that all volumes are lost.
remembers_cluster() {
  [ ! -s "$state_dir/cleared" ] || return 1
  [ ! -e "$joining" ] || return 0
  set --
  for list in $old_lists; do [ ! -s "$data_dir/$list" ] || set -- "$@" "$data_dir/$list"; done
  [ $# -gt 0 ] || return 1
  awk '
    length($1) == 40 && $1 !~ /[^0-9a-f]/ && $3 !~ /handshake/ && ($3 !~ /myself/ || NF > 8) { found = 1 }
    END { exit !found }' "$@"
}

# Whether the table that comes with the mark names addresses: of this node, the one that it announces, and of all others.
table_is_complete() {
  [ -r "$state_dir/nodes" ] || return 1
  awk -v me="$node" -v at="$address" '
    NF < 3 { next }
    $3 == "-" { unknown = 1 }
    $1 == me && $3 == at { mine = 1 }
    END { exit unknown || !mine }' "$state_dir/nodes"
}

# Only a record that is whole and says `false` counts as never formed, and only where nothing speaks against it. Sets doubt.
never_formed() {
  said=
  [ ! -r "$config_dir/formed" ] || read -r said <"$config_dir/formed"
  doubt="the cluster was formed"
  [ "$said" != true ] || return 1
  said=
  [ ! -r "$state_dir/formed" ] || read -r said <"$state_dir/formed"
  [ "$said" != true ] || return 1
  doubt="nothing says for certain that the cluster was never formed"
  [ "$said" = false ] && table_is_complete || return 1
  doubt="this volume remembers a cluster"
  ! remembers_cluster
}

# Lines `KEY ADDRESS` of everybody whose address can be learned from anywhere: the table (KEY is N, and the address `-` where it is not
# known), Services of the cluster's nodes in the environment (env-N), and lists of nodes on the volume (old-ID).
all_peers() {
  choose_table
  set -- "$node_table"
  [ "$config_dir/nodes" = "$node_table" ] || [ ! -s "$config_dir/nodes" ] || set -- "$@" "$config_dir/nodes"
  for list in $old_lists; do [ ! -s "$data_dir/$list" ] || set -- "$@" "$data_dir/$list"; done
  awk -v me="$node" -v mine="$address" -v cluster="${KUBECTL_REDIS_CLUSTER:-}" '
    function learn(key, ip) {
      if (ip == "" || ip == "-" || ip == mine || (ip in seen)) return
      seen[ip] = 1
      print key, ip
    }
    FILENAME ~ /\/nodes$/ {
      if (NF < 3 || $1 == me) next
      if ($3 == "-") unknown[$1] = 1
      else { known[$1] = 1; learn($1, $3) }
      next
    }
    length($1) == 40 && $1 !~ /[^0-9a-f]/ && $3 !~ /myself|handshake/ {
      ip = $2; sub(/@.*/, "", ip); sub(/:[0-9]*$/, "", ip)
      learn("old-" $1, ip)
    }
    END {
      prefix = toupper(cluster) "_"; gsub(/-/, "_", prefix)
      for (name in ENVIRON) {
        if (index(name, prefix) != 1 || name !~ /_SERVICE_HOST$/) continue
        n = substr(name, length(prefix) + 1, length(name) - length(prefix) - 13)
        if (n !~ /^[0-9]+$/ || n == me) continue
        known[n] = 1
        learn("env-" n, ENVIRON[name])
      }
      for (n in unknown) if (!(n in known)) print n, "-"
    }' "$@"
}
