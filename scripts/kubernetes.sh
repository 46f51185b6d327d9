#!/bin/bash
# A real Kubernetes API for the operator's tests: etcd, kube-apiserver and the controllers of namespaces, service accounts and garbage,
# on free ports of this machine's loopback. No container engine, no node: nothing runs in it.
#   kubernetes.sh up      builds what is missing, starts it, prints the path of an administrator's kubeconfig
#   kubernetes.sh down    stops it and forgets what was in it; what was built stays
#   kubernetes.sh run …   runs a command with MULTINIC_TEST_KUBECONFIG set, between the two
# Debian has no package of kube-apiserver, but Debian 12's source package of kubernetes (1.20) has its whole source, and Debian 12's Go
# builds it without the network: root, 4 GB of disk and 15 minutes on two cores, once. Everything is in target/kubernetes, or in $MULTINIC_KUBERNETES.
set -euo pipefail
cd "$(dirname "$0")/.."
home=${MULTINIC_KUBERNETES:-$PWD/target/kubernetes}
run=$home/run
version=1.20.2

log() { echo "kubernetes: $*" >&2; }

# fetch DIRECTORY: the source package, by an apt of its own that knows the sources of this machine's archives.
fetch() {
  local apt=$home/apt
  mkdir -p "$apt/lists/partial" "$apt/cache"
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "bookworm" && $3 == "main" && $1 ~ /debian\/?$/ {print "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $1 " bookworm main"}' | sort -u >"$apt/sources.list"
  [ -s "$apt/sources.list" ] || { log "needs Debian 12 (bookworm): only its source package has the API server"; return 1; }
  cat >"$apt/apt.conf" <<CONF
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
CONF
  (cd "$1" && export APT_CONFIG=$apt/apt.conf && apt-get update -q && apt-get source -q --download-only kubernetes) >&2
  tar -C "$1" -xzf "$1"/kubernetes_*.orig.tar.gz
}

# build: its own Makefile makes what is generated, then compiles. Cloud providers of old are left out.
build() {
  [ -x "$home/bin/kube-controller-manager" ] && return 0
  local source=$home/source reflect2=/usr/share/gocode/src/github.com/modern-go/reflect2
  scripts/need.sh make cc rsync jq
  [ -x /usr/lib/go-1.19/bin/go ] || scripts/need.sh golang-1.19-go
  [ -d "$reflect2" ] || scripts/need.sh golang-github-modern-go-reflect2-dev
  rm -rf "$source"
  mkdir -p "$source" "$home/bin"
  log "fetching the source of Kubernetes $version"
  fetch "$source"
  # The bundled one reads maps as Go up to 1.17 laid them out, and crashes with a newer one.
  local bundled=$source/kubernetes-$version/vendor/github.com/modern-go/reflect2
  rm "$bundled"/*.go "$bundled"/*.s
  cp "$reflect2"/*.go "$reflect2"/*.s "$bundled"
  cat >"$source/version" <<VERSION
KUBE_GIT_COMMIT=unknown
KUBE_GIT_TREE_STATE=archive
KUBE_GIT_VERSION=v$version
KUBE_GIT_MAJOR=1
KUBE_GIT_MINOR=20
VERSION
  log "building it (once; the log is $home/build.log)"
  env PATH="/usr/lib/go-1.19/bin:$PATH" GOPROXY=off GOCACHE="$source/cache" GOFLAGS=-tags=providerless,dockerless \
    KUBE_GIT_VERSION_FILE="$source/version" nice make -C "$source/kubernetes-$version" all \
    WHAT='cmd/kube-apiserver cmd/kube-controller-manager' >"$home/build.log" 2>&1 || { tail -n 20 "$home/build.log" >&2; return 1; }
  cp "$source/kubernetes-$version"/_output/local/bin/linux/*/kube-{apiserver,controller-manager} "$home/bin/"
  chmod -R u+w "$source"
  rm -rf "$source"
}

free_ports() {
  python3 -c 'import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))' "$1"
}

# start NAME COMMAND...: in the background; its output and its process id stay in the folder.
start() {
  local name=$1
  shift
  setsid "$@" >"$run/$name.log" 2>&1 </dev/null &
  echo $! >"$run/$name.pid"
}

identities() {
  local token subject=/CN=multinic-test
  (
    umask 077
    cd "$run"
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "$subject-ca" -keyout ca.key -out ca.crt
    openssl req -newkey rsa:2048 -nodes -subj "$subject" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out server.crt \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc')
    openssl genrsa -out accounts.key 2048
  ) 2>>"$run/openssl.log"
  token=$(openssl rand -hex 16)
  echo "$token,admin,admin,system:masters" >"$run/tokens.csv"
  cat >"$run/kubeconfig" <<CONFIG
apiVersion: v1
kind: Config
clusters:
- {name: test, cluster: {server: "https://127.0.0.1:$1", certificate-authority-data: $(base64 -w0 "$run/ca.crt")}}
users:
- {name: admin, user: {token: $token}}
contexts:
- {name: test, context: {cluster: test, user: admin}}
current-context: test
CONFIG
}

is_ready() { kubectl --kubeconfig "$run/kubeconfig" get --raw "$1" >/dev/null 2>&1; }

# until_ready PATH: waits for the API server to answer there.
until_ready() {
  for _ in $(seq 300); do
    is_ready "$1" && return 0
    sleep 0.2
  done
  log "it does not come up; the end of its log:"
  tail -n 20 "$run/kube-apiserver.log" >&2
  return 1
}

up() {
  is_ready /readyz && return 0
  scripts/need.sh openssl kubectl etcd python3
  build
  down
  mkdir -p "$run"
  local client peer api
  read -r client peer api < <(free_ports 3)
  identities "$api"
  start etcd etcd --data-dir "$run/etcd" --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "default=http://127.0.0.1:$peer"
  start kube-apiserver "$home/bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$client" --bind-address 127.0.0.1 --secure-port "$api" \
    --tls-cert-file "$run/server.crt" --tls-private-key-file "$run/server.key" --client-ca-file "$run/ca.crt" --token-auth-file "$run/tokens.csv" \
    --authorization-mode RBAC --service-cluster-ip-range 10.0.0.0/24 --endpoint-reconciler-type none \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$run/accounts.key" --service-account-signing-key-file "$run/accounts.key"
  until_ready /readyz
  start kube-controller-manager "$home/bin/kube-controller-manager" --kubeconfig "$run/kubeconfig" --leader-elect=false --port 0 --secure-port 0 \
    --service-account-private-key-file "$run/accounts.key" --root-ca-file "$run/ca.crt" --concurrent-namespace-syncs 20 \
    --controllers 'namespace,garbagecollector,serviceaccount,serviceaccount-token,root-ca-cert-publisher'
  until_ready /api/v1/namespaces/default/serviceaccounts/default
}

down() {
  local pid
  for pid in "$run"/*.pid; do
    [ -e "$pid" ] && kill -- "-$(cat "$pid")" 2>/dev/null || true
  done
  rm -rf -- "$run"
}

case ${1:-} in
  up)
    up
    echo "$run/kubeconfig"
    ;;
  down) down ;;
  run)
    shift
    trap down EXIT
    up
    MULTINIC_TEST_KUBECONFIG=$run/kubeconfig "$@"
    ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
