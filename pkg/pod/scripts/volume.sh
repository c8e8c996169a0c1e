# Sourced by start.sh: what is on the volume, and what the server would make of it.
# shellcheck shell=sh disable=SC2154,SC3028 # variables of common.sh and start.sh; a container has HOSTNAME in its environment

# Whether the volume holds what the server will load. A dump.rdb does not count with AOF on: Redis then ignores it and
# starts empty; and only 7.0 and later read appendonlydir.
has_data() {
  if [ "$appendonly" = no ]; then
    [ -s "$data_dir/dump.rdb" ]
  else
    [ -e "$data_dir/appendonly.aof" ] ||
      { [ "$version" -ge 700 ] && [ -s "$data_dir/appendonlydir/appendonly.aof.manifest" ]; }
  fi
}

# read_nodes_conf FILE: sets conf (none, broken or whole), my_id and my_address (`-` where it names none). Redis takes an
# empty file for none and gives itself a new identity; of a truncated one it loses the epochs or refuses to start.
read_nodes_conf() {
  conf=none
  my_id=-
  my_address=-
  [ -s "$1" ] || return 0
  look=$(awk '
    NF == 0 { next }
    $1 == "vars" { if (NF >= 5) vars++; else bad++; next }
    length($1) != 40 || $1 ~ /[^0-9a-f]/ || NF < 8 { bad++; next }
    $3 ~ /myself/ { mine++; id = $1; at = $2; sub(/@.*/, "", at); sub(/:[0-9]*$/, "", at) }
    END { print mine == 1 && vars == 1 && !bad ? "whole" : "broken", id == "" ? "-" : id, at == "" ? "-" : at }' "$1")
  read -r conf my_id my_address <<END
$look
END
}

# ---------------------------------------------------------------------------------------------- a dump that is ignored
# With AOF on a server reads the AOF only, and where there is none it starts empty, whatever dump.rdb holds: one that was put there to be
# restored, or that of a time when AOF was off. A replica overwrites it, even. That is for a person to decide.
dump=$data_dir/dump.rdb
load_dump=$data_dir/.kubectl-redis.load-dump

dump_is_ignored() { [ "$appendonly" != no ] && [ -s "$dump" ] && ! has_data; }

# Sets reason.
explain_dump() {
  here="kubectl exec ${HOSTNAME:-POD} -n ${KUBECTL_REDIS_NAMESPACE:-NAMESPACE} --"
  reason="because dump.rdb is on this volume and appendonly is yes: the server would ignore it and start without its keys."
  if [ "$conf" = whole ]; then
    reason="$reason To load it: $here touch $load_dump;"
  else
    reason="$reason To use its keys, load it into a server of its own and bring them here with redis-cli --cluster import;"
  fi
  reason="$reason to start without them: $here mv $dump $dump.unused"
}

# The dump becomes what the AOF begins with. Another name for the same file first, then the manifest: a kill anywhere leaves the dump, or an
# AOF that is whole.
load_ignored_dump() {
  if [ "$version" -ge 700 ]; then
    first=appendonly.aof.1.base.rdb
    mkdir -p "$data_dir/appendonlydir" && rm -f "$data_dir/appendonlydir/$first" &&
      { ln "$dump" "$data_dir/appendonlydir/$first" 2>/dev/null || cp "$dump" "$data_dir/appendonlydir/$first"; } &&
      printf 'file %s seq 1 type b\n' "$first" >"$data_dir/appendonlydir/new-manifest" &&
      mv "$data_dir/appendonlydir/new-manifest" "$data_dir/appendonlydir/appendonly.aof.manifest" &&
      rm -f "$dump" "$load_dump" || return 1
  else
    mv "$dump" "$data_dir/appendonly.aof" && rm -f "$load_dump" || return 1
  fi
  say "dump.rdb is what the append-only file begins with now"
}

# Returns when no dump is in danger of being ignored.
settle_dump() {
  while dump_is_ignored; do
    if [ "$conf" = whole ] && [ -e "$load_dump" ]; then
      load_ignored_dump && return 0
    fi
    explain_dump
    waiting "$reason"
  done
}
