#!/bin/bash
# need.sh COMMAND...: makes sure that the named commands are there. Root on Debian: installs what is missing;
# anybody else is told what to install. cargo-nextest and cargo-deny come from crates.io.
set -euo pipefail

package_of() {
  case $1 in
    cc) echo gcc libc6-dev ;;
    kubectl) echo kubernetes-client ;;
    initdb) echo postgresql ;;
    etcd) echo etcd-server ;;
    *) echo "$1" ;;
  esac
}

packages='' crates=''
for command in "$@"; do
  command -v "$command" >/dev/null && continue
  # Debian keeps the programs of PostgreSQL's server out of the path.
  [ "$command" = initdb ] && compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && continue
  case $command in
    cargo) echo "error: Rust is missing: see https://rustup.rs" >&2; exit 1 ;;
    cargo-*) crates="$crates $command" ;;
    *) packages="$packages $(package_of "$command")" ;;
  esac
done

if [ -n "$packages" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "error: missing Debian packages:$packages (as root: apt-get install$packages)" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  apt-get install -y -q --no-install-recommends $packages >&2 ||
    { apt-get update -q >&2 && apt-get install -y -q --no-install-recommends $packages >&2; }
fi

for crate in $crates; do
  echo "installing $crate (once)" >&2
  cargo install --quiet --locked "$crate"
done
