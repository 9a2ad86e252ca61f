# shellcheck shell=bash
# Checks of shell tests, one line each: `ok NAME`, `not ok NAME - why`, `skip NAME - why`. The test runner counts them.
# A line `# took SECONDS NAME` says how long a case took. A case is one check or several; the test runner lists the slowest.
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

# run_tests NAME...: calls the function test_NAME of each, in this order, then after_test if there is one; says what each took
run_tests() {
  local test begin
  for test in "$@"; do
    say "# $test ($SECONDS s)"
    begin=$EPOCHREALTIME
    "test_$test" || fail "$test" "the test itself failed"
    if declare -F after_test >/dev/null; then after_test; fi
    took "$begin" "${0##*/}: $test"
  done
}

# took BEGIN NAME: a case has ended that began when $EPOCHREALTIME was BEGIN
took() {
  local ms=$(((${EPOCHREALTIME//[.,]/} - ${1//[.,]/}) / 1000))
  printf '# took %d.%d %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$2"
}
