# shellcheck shell=bash
# Shared by the tests of the image: buildah with a store of its own, a base without a registry, and what is in an image.
# Sourced with `set -euo pipefail`, after tests/cluster/lib.sh.
# shellcheck disable=SC2034,SC2154 # used by those who source this file; from tests/cluster/lib.sh

base=localhost/spark-operator-base:12
store=$cache/buildah
work=$(mktemp -d)
made=() # images, to be removed at the end
export BUILDER=buildah BASE=$base BUILDAH_ISOLATION=chroot SOURCE_DATE_EPOCH=1700000000
export CONTAINERS_STORAGE_CONF=$store/storage.conf REGISTRY_AUTH_FILE=$work/no-auth.json

tear_down() {
  buildah rm --all >/dev/null 2>&1 || true
  buildah rmi "${made[@]}" >/dev/null 2>&1 || true
  rm -rf --one-file-system "$work"
}

own_store() { # buildah's images of ours, apart from those of this machine
  local driver=overlay
  mkdir -p "$store"
  while true; do
    printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$driver" "$store/graph-$driver" "$store/run" \
      >"$CONTAINERS_STORAGE_CONF"
    buildah info >"$work/info" 2>&1 && return
    [[ $driver == overlay ]] || return 1
    driver=vfs
  done
}

sources() { # the Debian of /etc/apt, for mmdebstrap
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT) | $(ORIGIN) $(CODENAME)' 'Created-By: Packages' |
    sed -n 's/^\(deb .* main\) | Debian bookworm.*/\1/p' | sort -u
}

build_stage_packages() { # what the build stage installs, so that this is downloaded once only
  sed -n 's/^\(tools\|libraries\)=(\(.*\))$/\2/p' "$top/deploy/image-compile" | xargs echo gcc | tr ' ' ,
}

make_base() {
  local lines packages=$1
  mapfile -t lines < <(sources)
  mmdebstrap --format=tar --variant=minbase --include="$packages" --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    bookworm "$work/base.tar" "${lines[@]}" || return 1
  "$top/tests/cluster/image-tar" "$work/base-image.tar" "$base" "$work/base.tar" '{"Cmd":["/bin/bash"]}'
  buildah rmi "$base" >/dev/null 2>&1 || true
  buildah pull "docker-archive:$work/base-image.tar" || return 1
  rm "$work"/base*.tar
  echo "$packages" >"$store/base.packages"
}

set_up() { # prints why not, if it can't be
  local packages
  install_packages buildah mmdebstrap jq python3 >&2 || {
    echo "buildah or mmdebstrap cannot be installed"
    return
  }
  own_store || {
    echo "buildah does not work here: $(tail -n 1 "$work/info")"
    return
  }
  packages=$(build_stage_packages)
  if ! buildah inspect --type image "$base" >/dev/null 2>&1 || [[ $(cat "$store/base.packages" 2>/dev/null) != "$packages" ]]; then
    with_progress "making the base: Debian with the build's packages (about 1 minute, once)" "$cache/log/image-base.log" \
      make_base "$packages" >&2 || echo "no base image can be made: $(tail -n 1 "$cache/log/image-base.log")"
  fi
}

begin() { # the store is ours alone until the end
  echo '{}' >"$REGISTRY_AUTH_FILE"
  mkdir -p "$store"
  exec 7>"$store/lock"
  flock -w 1800 7 || die "another test held $store/lock for half an hour"
}

# ---- building ---------------------------------------------------------------------------------------------------

snapshot() { # what a user has checked out, once, whoever edits meanwhile
  mkdir "$work/tree"
  (cd "$top" && git ls-files -z --cached --others --exclude-standard | { xargs -0 ls -d 2>/dev/null || true; } | tar -c -T -) | tar -C "$work/tree" -x
}

# ---- what is in an image, pushed as $work/NAME.oci --------------------------------------------------------------

blob() { echo "$work/$1.oci/blobs/sha256/${2#sha256:}"; }
manifest() { cat "$(blob "$1" "$(jq -r '.manifests[0].digest' "$work/$1.oci/index.json")")"; }
config() { cat "$(blob "$1" "$(manifest "$1" | jq -r .config.digest)")"; }

unpack() { # unpack NUMBER DIR
  local layer
  mkdir -p "$2"
  for layer in $(manifest "$1" | jq -r '.layers[].digest'); do tar -C "$2" -xf "$(blob "$1" "$layer")"; done
}
