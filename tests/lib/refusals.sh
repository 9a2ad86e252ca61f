# shellcheck shell=bash
# Applications that the webhook refuses: NAME.yaml has one, NAME.txt what `kubectl apply` has to say about it, line by line.
# A file with the comment "The webhook lets it pass." is refused at the submission, and left out here.
# Sourced after tap.sh.

check_refusals() { # check_refusals DIRECTORY COUNT: a check for each; there are at least COUNT
  local file count=0
  for file in "$1"/*.yaml; do
    grep -q '^# The webhook lets it pass' "$file" && continue
    check "refused: $(basename "$file" .yaml)" refused "$file"
    count=$((count + 1))
  done
  check "refused: at least $2 of $(basename "$1")" [ "$count" -ge "$2" ]
}

# Where a rule of the CRD comes first, the API server words the rest of the line.
says() { # says OUTPUT LINE
  [[ -z $2 || $1 == *"$2"* ]] ||
    [[ $2 == *': Invalid value: '* && $1 == *' is invalid: '*"${2%%: Invalid value: *}: Invalid value: "* ]]
}

refused() { # refused FILE
  local out line
  if out=$(kubectl apply -f "$1" 2>&1); then
    echo "it was admitted: $out"
    return 1
  fi
  while read -r line; do
    says "$out" "$line" || {
      echo "without «$line»: $out"
      return 1
    }
  done <"${1%.yaml}.txt"
}
