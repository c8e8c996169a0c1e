# Sourced by start.sh and probe.sh: of which state of its shard the data on this volume is.
# shellcheck shell=sh disable=SC2034,SC2154 # variables of common.sh, start.sh and probe.sh
#
# A volume that was put back to an older state, from a snapshot or a copy, looks like any other: its server would start, and its replicas would
# copy it and drop what they have more. So the probe notes on each volume how far its node was, by what Redis itself counts with: the
# replication id of a primary (here: history), a new one for each start and each takeover, and the offset in it. No clocks of two hosts
# are compared. Three files:
#   served    by a primary, lines `HISTORY OFFSET`: what it led and how far it was, the latest first. A last line `+ +`: these are all since its
#             volume was empty. Where it is `- -`, or the list is longer than what is kept, what was before is not known.
#   followed  by a replica, `ID HISTORY OLD NEW SINCE`: what it had of the primary ID; NEW is its offset at SINCE, and OLD, `-` at first, the
#             one of a minute or more before that. A primary notes its own within 20 s, so one that had less than OLD is older.
#   before    by a replica, lines `ID HISTORY`: all that it has followed, the latest first. Of two histories that one primary led this tells which one
#             was the earlier: who has that in its list, and not the later one, is older, whatever else its list lacks.
# An id lives and ends with its volume, and so with what `served` lists: who got an empty volume, and copied what it leads, has another one.
served_file=$data_dir/.kubectl-redis.served
followed_file=$data_dir/.kubectl-redis.followed
before_file=$data_dir/.kubectl-redis.before
# There while the server runs that began on an empty volume.
began_empty=$run_dir/began-empty
# What start.sh wrote into proc-title-template, in two lines: what stands before, and what stands behind the histories. And what was told last.
title_parts=$run_dir/title
told_file=$run_dir/told-histories
served_lines=20
# `DATA START STATE`: a person had this node start with older data (volume.sh, start.sh). DATA is of when it is, START when that was; STATE is `-`
# while the node may yet copy one that has more, then `led`. What came after DATA is not there, and nothing that serves shows it: so this is told
# until somebody takes the file away.
loaded_file=$data_dir/.kubectl-redis.loaded
# More than any offset.
all_of_it=9007199254740991

# number_of NAME TEXT: sets value to the number or id behind `NAME:` in an answer to INFO; empty = it is not there.
number_of() {
  case $2 in
    *"$1":*) value=${2#*"$1":} && value=${value%%[!0-9a-f]*} ;;
    *) value= ;;
  esac
}

note_loaded() { printf '%s %s -\n' "$1" "$(date +%s)" >"$loaded_file.new" && mv "$loaded_file.new" "$loaded_file"; } # TIME-OF-DATA

# Sets loaded; empty = there is none.
find_loaded() {
  loaded=
  [ -s "$loaded_file" ] && read -r of since state <"$loaded_file" || return 0
  case $of=$since=$state in *[!0-9=led-]* | =* | *==*) ;; *) loaded=$of=$since=$state ;; esac
}

# Of a node that follows one by now, by its answer: does that go on with what this one led, or did this one give up what it had loaded? (A copy of
# everything leaves forty zeros as its second history.)
settle_loaded() {
  find_loaded
  [ -n "$loaded" ] && [ "$state" = - ] || return 0
  number_of master_replid2 "$1"
  if [ -n "$value" ] && grep -q "^$value " "$served_file"; then
    printf '%s %s led\n' "$of" "$since" >"$loaded_file.new" && mv "$loaded_file.new" "$loaded_file"
  else
    rm -f "$loaded_file"
  fi
}

# note_history ROLE ANSWER, at each readiness probe. ROLE is `master`, `up` or `down`; ANSWER has INFO replication; now is of keep_factor.
note_history() {
  number_of master_replid "$2" && history=$value
  [ ${#history} -eq 40 ] || return 0
  # By the first probe, not by the start: what no probe looks at has nothing that could be missing in its list.
  if [ ! -e "$served_file" ]; then
    if [ -e "$began_empty" ]; then printf '+ +\n'; else printf -- '- -\n'; fi >"$served_file.new" && mv "$served_file.new" "$served_file" || return 0
  fi
  case $1 in
    master) note_served "$2" ;;
    up)
      settle_loaded "$2"
      note_followed "$2"
      ;;
  esac
}

note_served() {
  number_of master_repl_offset "$1" && offset=$value
  latest=
  noted=
  [ ! -s "$served_file" ] || read -r latest _ noted <"$served_file"
  [ ! -e "$followed_file" ] || rm -f "$followed_file"
  # (Its third word is for this alone.)
  if [ "$latest" != "$history" ] || [ "$now" -lt "${noted:-0}" ] || [ $((now - ${noted:-0})) -ge 10 ]; then
    # (A volume that is full keeps what is there.)
    { printf '%s %s %s\n' "$history" "$offset" "$now" && grep -v "^$history " "$served_file" | head -n $((served_lines - 1)); } >"$served_file.new" ||
      return 0
    mv "$served_file.new" "$served_file"
  fi
  tell_histories "$history"
}

note_followed() {
  number_of slave_repl_offset "$1" && offset=$value
  leader=
  before=
  old=-
  new=-
  [ ! -s "$followed_file" ] || read -r leader before old new since <"$followed_file"
  if [ "$before" != "$history" ] || [ "$now" -lt "$since" ] || [ $((now - since)) -ge 60 ]; then
    primary_id=$(awk '$3 ~ /myself/ && length($4) == 40 { print $4 }' "$nodes_conf" 2>/dev/null)
    [ -n "$primary_id" ] || return 0
    if [ "$before" != "$history" ] || [ "$leader" != "$primary_id" ]; then
      old=-
      { has_copied && note_before; } || return 0
    # (Where the clock was set back nobody knows how long ago NEW was.)
    elif [ "$now" -ge "$since" ]; then
      old=$new
    fi
    printf '%s %s %s %s %s\n' "$primary_id" "$history" "$old" "$offset" "$now" >"$followed_file.new" &&
      mv "$followed_file.new" "$followed_file" || return 0
  fi
  tell_histories "$history $old"
}

# It has copied another node, and with it what the cluster keeps of all that it has led: nobody has more of that, if it leads again.
has_copied() {
  awk -v all="$all_of_it" '{ print $1, (length($1) == 40 ? all : $2) }' "$served_file" >"$served_file.new" && mv "$served_file.new" "$served_file"
}

# (Also while it leads this stays: an id and its histories are the same when it follows it again.)
note_before() {
  { printf '%s %s\n' "$primary_id" "$history" && grep -v " $history$" "$before_file" 2>/dev/null | head -n $((served_lines - 1)); } >"$before_file.new" &&
    mv "$before_file.new" "$before_file"
}

# Sets earlier: `HISTORY,…` that the node LEADER led before HISTORY, as far as this replica has followed it.
find_earlier() { # LEADER HISTORY
  earlier=
  [ ! -s "$before_file" ] || earlier=$(awk -v id="$1" -v history="$2" '
    $2 == history { found = 1; next }
    found && $1 == id && length($2) == 40 && $2 !~ /[^0-9a-f]/ { text = text (text == "" ? "" : ",") $2 }
    END { print text }' "$before_file")
}

# Sets histories, for proc-title-template: ` followed:ID=HISTORY=OLD=HISTORY,…` (find_earlier), ` served:HISTORY=OFFSET,…` and
# ` loaded:DATA=START=STATE`, each where it is known. (What a damaged file
# holds would break the configuration.)
find_histories() {
  histories=
  earlier=
  if [ -s "$followed_file" ] && read -r whom which _ <"$followed_file"; then find_earlier "$whom" "$which"; fi
  for file in "$followed_file" "$served_file"; do
    [ ! -s "$file" ] || histories="$histories$(awk -v kind="${file##*.}" -v earlier="$earlier" '
      kind == "followed" && length($1) == 40 && length($2) == 40 && $1 $2 !~ /[^0-9a-f]/ && $3 ~ /^[0-9]+$/ { text = $1 "=" $2 "=" $3 "=" earlier }
      kind == "served" && ((length($1) == 40 && $1 !~ /[^0-9a-f]/ && $2 ~ /^[0-9]+$/) || ($1 ~ /^[-+]$/ && $2 == $1)) {
        text = text (text == "" ? "" : ",") $1 "=" $2
      }
      END { if (text != "") printf " %s:%s", kind, text }' "$file")"
  done
  find_loaded
  histories="$histories${loaded:+ loaded:$loaded}"
}

# tell_histories KEY: where that was not told yet. (Not where people chose a text of their own, maybe since the start.)
tell_histories() {
  told=
  find_loaded
  set -- "$1${loaded:+ $loaded}"
  [ ! -s "$told_file" ] || read -r told <"$told_file"
  [ "$told" != "$1" ] && [ -s "$title_parts" ] && ! grep -q '^proc-title-template ' "$config_dir/redis.conf" || return 0
  { read -r before && read -r behind; } <"$title_parts" || return 0
  find_histories
  [ "$(ask "$host" config set proc-title-template "$before$histories${behind:+ $behind}")" != OK ] || printf '%s\n' "$1" >"$told_file"
}

# ------------------------------------------------------------------------------------------------ what others say of it
# For awk: sets served_to[history] of a text `HISTORY=OFFSET,…`, and says whether one who had so much of a history, and of the same node `HISTORY,…`
# earlier, had more than that.
# shellcheck disable=SC2016 # the dollars are for awk
served_list='
  function learn(text, i, n, part, pair) {
    n = split(text, part, ",")
    for (i = 1; i <= n; i++) { split(part[i], pair, "="); if (pair[1] == "+") complete = 1; else served_to[pair[1]] = pair[2] }
  }
  function had_more(history, offset, earlier, i, n, part) {
    if (history in served_to) return served_to[history] + 0 < offset + 0
    n = split(earlier, part, ",")
    for (i = 1; i <= n; i++) if (part[i] in served_to) return 1
    return complete
  }'

# Lines `KEY ADDRESS WAITED` of who may have followed this node: by its nodes.conf, where it is waited for if it had not failed, and by the shard
# in the table.
followers_of_old() {
  choose_table
  awk -v me="$node" -v at_me="$address" '
    FILENAME ~ /\/nodes$/ { if ($1 == me) shard = $4; else if (NF > 3 && $3 != "-") { key[$3] = $1; shard_of[$3] = $4 }; next }
    '"$node_line"'
    $3 ~ /myself/ { self = $1 }
    { of[at] = $4; failed[at] = $3 ~ /(^|,)fail(,|$)/ || $3 ~ /noaddr/ }
    END {
      for (ip in of) if (of[ip] == self && ip != "" && ip != at_me) { print "f" ++count, ip, failed[ip] ? "no" : "yes"; listed[ip] = 1 }
      for (ip in key) if (shard_of[ip] == shard && !(ip in listed) && ip != at_me) print key[ip], ip, "no"
    }' "$node_table" "$nodes_conf"
}

# Sets later: the address of a replica of this node that had more than this volume says (`-` = none; one that was found, and is silent now,
# stays it); and awaited: one that is silent.
look_at_followers() {
  followers_of_old >"$run_dir/kin-list"
  ask_each "$run_dir/kin" "INFO replication
CLUSTER NODES
CONFIG GET proc-title-template" <"$run_dir/kin-list"
  read -r later awaited <<END
$(judge_followers)
END
  later=${later:--}
}

# One that leads by now does not count: then this node becomes its replica, and copies. (By its own view of the cluster: INFO of one that loads says
# that it is a master.)
judge_followers() {
  awk -v self="$my_id" -v found="${later:--}" '
    '"$served_list"'
    { sub(/\r$/, "") }
    FILENAME ~ /\.served$/ { text = text (text == "" ? "" : ",") $1 "=" $2; next }
    FILENAME ~ /\/kin-list$/ { ip_of[$1] = $2; waited[$1] = $3 == "yes"; next }
    FNR == 1 { key = FILENAME; sub(/.*\//, "", key) }
    /^role:/ { answers[key] = 1 }
    $3 ~ /myself/ { leads[key] = $3 ~ /master/ && NF > 8 }
    / followed:/ { sub(/.* followed:/, ""); sub(/ .*/, ""); says[key] = $0 }
    END {
      learn(text)
      later = awaited = "-"
      for (key in ip_of) {
        if (!(key in answers)) {
          if (waited[key]) awaited = ip_of[key]
          if (ip_of[key] == found) later = found
          continue
        }
        split(says[key], word, "=")
        if (!leads[key] && word[1] == self && had_more(word[2], word[3], word[4])) later = ip_of[key]
      }
      print later, awaited
    }' "$served_file" "$run_dir/kin-list" "$run_dir"/kin/*
}

# Whether nobody had more than this volume of what its node led. Sets reason. A replica that is silent may be down for good, so it is waited for
# 10 s only: when it comes, its own guard asks this node (follows_older).
is_of_this_time() {
  [ ! -e "$start_old" ] || return 0
  look_at_followers
  passed=$(($(date +%s) - first_look))
  # (A clock that was set back would make it wait for ever.)
  [ "$passed" -ge 0 ] || passed=10
  if [ "$later" = - ]; then
    reason="for its replica at $awaited to answer, which may have more than this volume"
    [ "$awaited" = - ] || [ "$passed" -ge 10 ]
    return
  fi
  find_data_time "$(old_kind)" || return 0
  # (This node may have gone on while its probe did not run, or have taken writes since its volume was put back: so who is told is decided by
  # the times of data.)
  old_time=$data_time
  reason="for a replica to take over: the one at $later had more of what this node served than is noted on this volume, which was put back to an older state, or its readiness probe did not run for minutes"
  look_at_peers
  if [ "$here" = alive ]; then
    explain_alive
    return 1
  fi
  # (Before, nobody can be known to be alive.)
  if [ "$passed" -gt 3 ] && [ "$holder" = "$my_id" ] && [ "$holder_followers" = yes ]; then tell_best_replica; fi
  reason="$reason$(how_to_start_old)"
  return 1
}

# Whether the primary that this replica would copy has less than this replica had of it. Sets reason.
follows_older() {
  [ ! -e "$start_old" ] || return 1
  read -r leader history old _ <"$followed_file" || return 1
  case $old in '' | *[!0-9]*) return 1 ;; esac
  at=$(awk -v id="$leader" '
    '"$node_line"'
    $3 ~ /myself/ { follows = $4 == id }
    $1 == id { leader_at = at }
    END { if (follows) print leader_at }' "$nodes_conf")
  [ -n "$at" ] || return 1
  reason="because the primary of this replica, at $at, started from a volume that knows less than this replica had of it, maybe an older state: this replica would copy it and drop what it has more. To have the choice, scale the StatefulSet of the primary to 0, and to 1 again when this server runs: kubectl redis fix ${KUBECTL_REDIS_CLUSTER:-NAME} then says what each would lose; to copy it all the same: $in_this_pod touch $start_old"
  find_earlier "$leader" "$history"
  echo "- $at" | ask_each "$run_dir/kin" "CLUSTER MYID
INFO replication
CONFIG GET proc-title-template"
  # (One that loads does not say its id, but the rest.)
  [ "$(awk -v id="$leader" -v history="$history" -v old="$old" -v earlier="$earlier" '
    '"$served_list"'
    { sub(/\r$/, "") }
    FNR == 1 && length($0) == 40 && $0 !~ /[^0-9a-f]/ { other = $0 != id }
    /^role:/ { leads = $0 == "role:master" }
    /^master_replid:/ { live = substr($0, 15) }
    / served:/ { sub(/.* served:/, ""); sub(/ .*/, ""); text = $0; told = 1 }
    END { learn(text); print !other && leads && told && live != history && had_more(history, old, earlier) ? "yes" : "no" }' "$run_dir"/kin/*)" = yes ]
}

# Before a server starts whose nodes.conf and data are whole.
settle_history() {
  if was_primary; then
    later=-
    first_try=
    first_look=$(date +%s)
    [ ! -e "$served_file" ] || [ -n "$replaced" ] || until is_of_this_time; do waiting "$reason"; done
    old_time=
  elif [ -s "$followed_file" ]; then
    while follows_older; do waiting "$reason"; done
  fi
}
