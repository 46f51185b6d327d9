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

# Debian keeps the programs of servers out of a user's path.
outside_the_path() {
  case $1 in
    initdb) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
    rabbitmq-server) [ -e /usr/lib/rabbitmq/bin/rabbitmq-server ] ;;
    *) false ;;
  esac
}

# No service that comes with a package may start by itself: an existing policy-rc.d stays, else one is lent.
install_packages() {
  local lent='' rc=0
  export DEBIAN_FRONTEND=noninteractive
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    lent=1
  fi
  apt-get install -y -q --no-install-recommends "$@" >&2 ||
    { apt-get update -q >&2 && apt-get install -y -q --no-install-recommends "$@" >&2; } || rc=$?
  [ -z "$lent" ] || rm -f /usr/sbin/policy-rc.d
  return $rc
}

packages='' crates=''
for command in "$@"; do
  command -v "$command" >/dev/null && continue
  outside_the_path "$command" && continue
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
  # shellcheck disable=SC2086
  install_packages $packages
fi

for crate in $crates; do
  echo "installing $crate (once)" >&2
  cargo install --quiet --locked "$crate"
done
