# Sourced by probe.sh: whether a restarted replica may take over from a primary that it has not seen since.
# shellcheck shell=sh disable=SC2154 # variables of common.sh and probe.sh
#
# With cluster-replica-validity-factor 10 Redis lets a replica stand while its data is at most ten node timeouts older than
# its primary's last sign of life; but a restarted process has forgotten when its link was up and never stands. So the
# readiness probe remembers it on the volume (stop.sh forgets it: whoever leads goes on without a node that is stopped), and
# this holds it against what the others know of the primary, now and from before their own last start: where nobody has
# heard of it for more than ten node timeouts after the link was last up, the factor becomes 0 until the link is up or the
# node is primary. Everything else leaves it at 10.

# The stamp has a line `UP SEEN PRIMARY`: when the link was last up, when that was last looked at (both in seconds, by the
# clock of this host), and the primary's address.
stamp_link() {
  [ ! -e "$stopping" ] || return 0
  [ "$1" = down ] || [ ! -e "$data_stamp" ] || rm -f "$data_stamp"
  case $1 in
    master) [ ! -e "$link_stamp" ] || rm -f "$link_stamp" ;;
    up) printf '%s %s %s\n' "$now" "$now" "$primary" >"$link_stamp" ;;
    down)
      [ -s "$link_stamp" ] && read -r up _ followed <"$link_stamp" || return 0
      printf '%s %s %s\n' "$up" "$now" "$followed" >"$link_stamp"
      ;;
  esac
}

# What a primary has heard of the others would end with its process, and with all of them when everything crashes: then a
# replica that had been away for an hour could lead, because its own primary is a minute late. So each primary keeps on its
# volume when it last heard each other node. Lines: the time of this look; then `ADDRESS SECONDS`, by the clock of this host,
# 0 for never. A restarted server gives the time of its own start for everybody, so only what is a node timeout later was
# really heard.
note_heard() {
  read_node_timeout || return 0
  looked=
  [ ! -s "$heard" ] || read -r looked _ <"$heard"
  case $looked in '' | *[!0-9]*) looked=0 ;; esac
  [ $((now - looked)) -ge $((node_timeout / 500)) ] || [ "$now" -lt "$looked" ] || return 0
  [ -e "$heard" ] || true >"$heard"
  # (An answer that was cut short changes nothing.)
  if printf 'INFO server\nCLUSTER NODES\n' | bounded 2 "$cli" -h "$host" -p "$port" 2>/dev/null |
    awk -v now="$now" -v late="$((node_timeout / 1000 + 1))" -v old="$heard" '
      BEGIN { while ((getline line <old) > 0) if (split(line, word, " ") == 2) sign[word[1]] = word[2] }
      /^uptime_in_seconds:/ { sub(/.*:/, ""); start = now - $0 }
      '"$node_line"'
      at != "" && $3 !~ /myself/ {
        if (!fails && start && $6 / 1000 > start + late) sign[at] = int($6 / 1000)
        lines = lines at " " (sign[at] + 0) "\n"
      }
      END { if (lines != "") printf "%s\n%s", now, lines; else exit 1 }' >"$heard.new"; then
    mv "$heard.new" "$heard"
  else
    rm -f "$heard.new"
  fi
}

set_factor() {
  [ "$factor" = "$1" ] || ask "$host" config set cluster-replica-validity-factor "$1" >/dev/null
}

# Whether the data here is as fresh as factor 10 asks for. A primary of the cluster restarts with the time of its start as
# the last sign of life of all others, and tells it to others; so from those that started after the link was up, only a
# sign later than the last start counts. Without a majority of primaries nothing can be known, nor decided by election.
is_fresh() {
  [ -s "$link_stamp" ] && read -r up seen followed <"$link_stamp" || return 1
  read_node_timeout || return 1
  limit=$((node_timeout / 100))
  # With a clock that was set back in between nobody can tell.
  [ "$up" -le "$seen" ] && [ "$seen" -le "$now" ] || return 1
  [ "$followed" = "$primary" ] && [ $((seen - up)) -le "$limit" ] || return 1
  peers >"$run_dir/probe-list"
  ask_each "$run_dir/probe-views" "TIME
INFO server
CONFIG GET proc-title-template
CLUSTER NODES" <"$run_dir/probe-list"
  own_address
  awk -v up="$up" -v limit="$limit" -v primary="$primary" -v me="$address" '
    function told(who, i) {
      for (i = 2; i <= count; i++) if (index(except[i], who "=") == 1) return substr(except[i], length(who) + 2) + 0
      return except[1] + 0
    }
    FNR == 1 { now = $1 }
    /^uptime_in_seconds:/ { sub(/.*:/, ""); start[FILENAME] = now - $0; if (now - $0 > latest) latest = now - $0 }
    # From before its last start (start.sh): when it last heard anybody, and who was silent by then. The second question is exact,
    # because it is by one clock: whether it heard the primary when it heard this node no more. But it may have started months ago.
    / heard:[0-9]/ {
      sub(/.* heard:/, ""); sub(/[^0-9a-fA-F:.,=].*/, "")
      count = split($0, except, ",")
      if (told(primary) > up + limit) outlived = 1
      if (told(primary) > up - limit && told(primary) > told(me) + limit / 5 + 1) outlived = 1
      next
    }
    '"$node_line"'
    {
      if (owns) owners[$1] = 1
      if (owns && $3 ~ /myself/) voters++
      if (at == primary) sign[FILENAME] = $6 / 1000
    }
    END {
      if (outlived) exit 1
      for (id in owners) size++
      for (file in sign)
        if (sign[file] > up + limit && (start[file] <= up || sign[file] > latest + 3)) exit 1
      exit voters * 2 <= size
    }' "$run_dir"/probe-views/*
}

# keep_factor ANSWER ROLE, where ROLE is `master`, `up` or `down`, and ANSWER what the server said.
keep_factor() {
  now=${1#*PONG?}
  now=${now%%[!0-9]*}
  primary=${1#*master_host:}
  primary=${primary%%[!0-9a-fA-F.:]*}
  factor=${1#*validity-factor?}
  factor=${factor%%[!0-9]*}
  # Never up since its start: -1, or the time since 1970 (Redis before 7).
  case $2/$1 in
    down/*master_link_down_since_seconds:-1* | down/*master_link_down_since_seconds:1[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]*)
      if is_fresh; then set_factor 0; else set_factor 10; fi
      ;;
    *) stamp_link "$2" && set_factor 10 ;;
  esac
}
