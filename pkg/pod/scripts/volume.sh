# Sourced by start.sh: what is on the volume, and what the server would make of it.
# shellcheck shell=sh disable=SC2154,SC3028 # variables of common.sh and start.sh; a container has HOSTNAME in its environment

# Whether the volume holds what the server will load. A dump.rdb does not count with AOF on: Redis then ignores it and
# starts empty; and only 7.0 and later read appendonlydir.
has_data() {
  if [ "$appendonly" = no ]; then
    [ -s "$data_dir/dump.rdb" ]
  else
    has_aof
  fi
}

has_aof() {
  [ ! -e "$data_dir/appendonly.aof" ] || return 0
  [ "$version" -ge 700 ] && [ -s "$data_dir/appendonlydir/appendonly.aof.manifest" ] || return 1
  # Names without content are what a restore leaves that was cut short: the server takes them for a file without keys.
  # (Without a preamble the file of an empty server has no byte either.)
  [ "$preamble" = yes ] || return 0
  for file in "$data_dir"/appendonlydir/appendonly.aof.*.*.*; do [ ! -s "$file" ] || return 0; done
  return 1
}

# The server ends at its start where its manifest names a file that is not there: somebody removed it, and the rewrite that should have made it
# anew (probe.sh) did not end. So the volume counts as what it is, without data. Nothing is deleted.
set_torn_log_aside() {
  [ "$version" -ge 700 ] && [ "$appendonly" != no ] && log_is_torn || return 0
  torn=$data_dir/appendonlydir.torn-$(date +%s)
  mv "$data_dir/appendonlydir" "$torn" || return 0
  say "files that the manifest of the append-only file names are not there: set aside as $torn"
}

# Only servers from 7.0 on read appendonlydir: an older one would start empty, and write over what its replicas have.
is_newer_than_server() {
  [ "$version" -lt 700 ] && [ "$appendonly" != no ] && [ ! -e "$data_dir/appendonly.aof" ] && [ -s "$data_dir/appendonlydir/appendonly.aof.manifest" ]
}

# Redis reads nothing of Valkey, Valkey reads Redis up to 7.2; and side by side in one cluster they read each other's addresses wrong. Sets
# other: who ran on this volume.
is_of_other_product() {
  other=
  [ -s "$ran_last" ] && read -r other number <"$ran_last" && is_unread "$other" "$number"
}

# is_unread PRODUCT NUMBER: by a server of this image.
is_unread() {
  case $1/$product in
    valkey/redis) ;;
    redis/valkey) [ "$2" -gt 702 ] ;;
    *) return 1 ;;
  esac
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

# ------------------------------------------------------------------------------------- a configuration that has changed
# A server reads the append-only file or the dump, as it is configured, and not the newer one. Where an older manifest was applied, or
# `appendonly` was changed while the servers ran and a pod starts before its template is, that would be the file of another time. The probe
# notes where the server that runs keeps its keys; what it wrote last is what counts.
take_newer() {
  [ -s "$keeps" ] && read -r kept <"$keeps" || return 0
  case $appendonly/$kept in
    no/aof | no/rdb)
      # (With save points a server writes a dump when it is stopped: then both are complete. One that was told to keep no append-only file
      # any more has written none since, and maybe no dump.)
      has_aof && aof_is_newer || return 0
      [ "$kept" = aof ] || { was_primary && [ -z "$replaced" ]; } || return 0
      say "the append-only file is newer than dump.rdb: starting with appendonly yes"
      printf 'appendonly yes\n' >>"$run_dir/redis.conf"
      appendonly=yes
      ;;
    yes/rdb)
      # (The first file of a server that was told to keep one is not there before it has been written whole.)
      [ "$conf" = whole ] && [ -s "$dump" ] && ! aof_is_newer || return 0
      say "the server that ran last kept its keys in dump.rdb: it is loaded, and an older append-only file set aside"
      # In this order: a kill in between leaves a dump that is loaded.
      echo latest >"$load_dump"
      # (What is on the volume was compared with what others have by then, and the dump is the latest of it.)
      gave_way=yes
      for name in appendonlydir appendonly.aof; do
        [ ! -e "$data_dir/$name" ] || mv "$data_dir/$name" "$data_dir/$name.unused-$(date +%s)"
      done
      ;;
  esac
}

# A server that kept no append-only file had more in memory than what it left here. Not where it was stopped in order and wrote a
# dump by then.
is_old() {
  kept=
  [ ! -s "$keeps" ] || read -r kept <"$keeps"
  case $kept/$appendonly in rdb/* | /no) ;; *) return 1 ;; esac
  [ ! -e "$ended" ] || [ ! -s "$dump" ] || is_newer "$ended" "$dump"
}

# What a primary of old data would start with (take_newer): aof or rdb.
old_kind() {
  if has_aof && aof_is_newer && { [ "$appendonly" != no ] || { [ "$kept" = rdb ] && was_primary; }; }; then
    echo aof
  elif [ "$appendonly" = no ] || [ -s "$dump" ]; then
    echo rdb
  else
    echo aof
  fi
}

# find_data_time aof|rdb: sets data_time, when that was last written. (The manifest does not count: a start may write it.)
find_data_time() {
  data_time=0
  if [ "$1" = rdb ]; then
    set -- "$dump"
  else
    set -- "$data_dir/appendonly.aof" "$data_dir"/appendonlydir/appendonly.aof.[0-9]*
  fi
  for file in "$@"; do
    [ -s "$file" ] || continue
    written=$(date -r "$file" +%s)
    [ "${written:-0}" -le "$data_time" ] || data_time=$written
  done
  [ "$data_time" -gt 0 ]
}

# Sets stamped: until when this node was in step as a replica, by its stamp (validity.sh) and by what it told at its last start, if its link
# has not been up since; empty = neither is there. A file may be written anew by a stop, with the same old keys.
read_stamp() {
  stamped=
  for name in "$link_stamp" "$data_stamp"; do
    first=
    [ ! -s "$name" ] || read -r first _ <"$name"
    case $first in '' | *[!0-9]*) continue ;; esac
    if [ -z "$stamped" ] || [ "$first" -lt "$stamped" ]; then stamped=$first; fi
  done
}

# --------------------------------------------------------------------------------------------- an identity that is gone
# The keys are here, nodes.conf and its copy are not: somebody removed them, or put back the append-only file alone. Whose keys they are only a
# person knows. Who says so lets this node be again whom the others know at its address.
be_that_node=$data_dir/.kubectl-redis.be-that-node

may_be_that_node() {
  [ "$missing" != data ] && [ "$here" = yes ] && [ "$holder_slots" = yes ] && { [ "$my_id" = - ] || [ "$my_id" = "$holder" ]; }
}

how_to_be_that_node() { printf '; to start with its keys as that node: %s touch %s' "$in_this_pod" "$be_that_node"; }

# Writes a nodes.conf for the node HOLDER, as the peer shows it that knows an owner of the most slots. It votes in no epoch that anybody has.
write_identity() {
  awk -v id="$holder" '
    '"$node_line"'
    {
      sub(/myself,/, "", $3)
      if ($3 ~ /noaddr/) next
      if ($1 == id) { $3 = "myself,master"; $4 = "-"; has[FILENAME] = 1 }
      if ($7 + 0 > epoch) epoch = $7 + 0
      line = $1
      for (i = 2; i <= NF; i++) if ($i !~ /^\[/) line = line " " $i
      list[FILENAME] = list[FILENAME] line "\n"
    }
    END {
      for (file in has) if (best == "" || covered[file] > covered[best]) best = file
      if (best != "") printf "%svars currentEpoch %.0f lastVoteEpoch %.0f\n", list[best], epoch, epoch
    }' "$run_dir"/peers/* >"$nodes_conf.new"
  [ -s "$nodes_conf.new" ] || return 1
  [ ! -e "$nodes_conf" ] || mv "$nodes_conf" "$data_dir/nodes.conf.broken"
  mv "$nodes_conf.new" "$nodes_conf"
  say "this node is $holder again, as the others know it: a person says that the keys on this volume are its keys"
}

was_primary() { awk '$3 ~ /myself/ && $3 ~ /master/ && NF > 8 { found = 1 } END { exit !found }' "$nodes_conf"; }

was_followed() { awk '$3 ~ /myself/ && NF > 8 { me = $1 } { follows[$4] = 1 } END { exit me == "" || !(me in follows) }' "$nodes_conf"; }

aof_is_newer() {
  # What has no byte, or a name for the time being, is of a first file that was never finished.
  for file in "$data_dir/appendonly.aof" "$data_dir"/appendonlydir/appendonly.aof.*; do
    if [ -s "$file" ] && { [ ! -s "$dump" ] || is_newer "$file" "$dump"; }; then return 0; fi
  done
  return 1
}

# (Busybox compares seconds.)
is_newer() { [ -n "$(find "$1" -newer "$2")" ]; }

# ---------------------------------------------------------------------------------------------- a dump that is ignored
# With AOF on a server reads the AOF only, and where there is none it starts empty, whatever dump.rdb holds: one that was put there to be
# restored, or that of a time when AOF was off. A replica overwrites it, even. That is for a person to decide.
dump=$data_dir/dump.rdb
load_dump=$data_dir/.kubectl-redis.load-dump
start_old=$data_dir/.kubectl-redis.start-old
in_this_pod="kubectl exec ${HOSTNAME:-POD} -n ${KUBECTL_REDIS_NAMESPACE:-NAMESPACE} --"

dump_is_ignored() { [ "$appendonly" != no ] && [ -s "$dump" ] && ! has_data; }

# Sets reason.
explain_dump() {
  reason="because dump.rdb is on this volume and appendonly is yes: the server would ignore it and start without its keys."
  if [ "$conf" = whole ]; then
    reason="$reason To load it: $in_this_pod touch $load_dump;"
  else
    reason="$reason To use its keys, load it into a server of its own and bring them here with redis-cli --cluster import;"
  fi
  reason="$reason to start without them: $in_this_pod mv $dump $dump.unused"
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
      give_way_with_dump
      [ -s "$dump" ] || return 0
      # (A person makes it empty, take_newer does not: that dump is the latest there is.)
      noted=
      [ -s "$load_dump" ] || ! find_data_time rdb || ! note_loaded "$data_time" || noted=yes
      load_ignored_dump && return 0
      [ -z "$noted" ] || rm -f "$loaded_file"
    fi
    explain_dump
    waiting "$reason"
  done
}
