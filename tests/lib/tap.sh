# shellcheck shell=bash
# Checks of shell tests, one line each: `ok NAME`, `not ok NAME - why`, `skip NAME - why`. The test runner counts them.
# shellcheck disable=SC2034 # for those who source this

tap_failed=0

# check NAME COMMAND...: passes when COMMAND succeeds; why it did not is the last line that it printed
check() { need "$@" || true; }

# need NAME COMMAND...: the same, and returns whether it passed: `need ... || return 0` where the rest makes no sense
need() {
  local name=$1 out
  shift
  if out=$("$@" 2>&1); then
    printf 'ok %s\n' "$name"
    return 0
  fi
  fail "$name" "$(tail -n 1 <<<"$out")"
  return 1
}

fail() { # fail NAME [WHY]
  tap_failed=1
  printf 'not ok %s%s\n' "$1" "${2:+ - $2}"
}

skip() { printf 'skip %s - %s\n' "$1" "$2"; }
