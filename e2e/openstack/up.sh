#!/bin/bash
# Brings up (or back) a minimal OpenStack Zed control plane from Debian 12's packages. See README.md.
#   up.sh                   install what is missing, configure, start, wait until usable
#   up.sh install           only install
#   up.sh restart NAME...   write the configuration again and restart the named services
set -uo pipefail
cd "$(dirname "$0")" || exit 1
. ./lib.sh && . ./config.sh && . ./services.sh
need_root

PACKAGES="keystone nova-api nova-conductor nova-scheduler placement-api neutron-server neutron-linuxbridge-agent
glance-api rabbitmq-server mariadb-server-core mariadb-client-core uwsgi-core uwsgi-plugin-python3 python3-pymysql
python3-requests iptables ipset bridge-utils ebtables iproute2 procps curl bc"

missing_packages() {
  local p
  for p in $PACKAGES; do
    dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || echo "$p"
  done
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; }

install() {
  local missing lent='' rc
  missing=$(missing_packages)
  [ -z "$missing" ] && return 0
  command -v apt-get >/dev/null || { fail "needs Debian 12: apt-get is missing"; return 1; }
  # Nothing may start by itself: keep an existing policy-rc.d, else lend one for the install.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    lent=1
  fi
  # Package lists that are missing or stale are fetched; fresh ones are not.
  # shellcheck disable=SC2086
  { apt_install $missing || { apt-get update -q && apt_install $missing; }; } >>"$LOGS/apt.log" 2>&1
  rc=$?
  [ -n "$lent" ] && rm -f /usr/sbin/policy-rc.d
  [ $rc = 0 ] || { tail -20 "$LOGS/apt.log" >&2; fail "packages could not be installed; see $LOGS/apt.log"; }
}

sql() { mariadb --protocol=tcp -h127.0.0.1 -P"$DB_PORT" -uroot -e "$1"; }
nova_manage() { nova-manage --config-file "$ETC/nova/nova.conf" --config-file "$ETC/nova/nova-db.conf" "$@"; }

keystone_and_friends() {
  local k="keystone-manage --config-file $ETC/keystone/keystone.conf" url=http://127.0.0.1:5000/v3
  $k db_sync && $k fernet_setup --keystone-user root --keystone-group root &&
    $k credential_setup --keystone-user root --keystone-group root &&
    $k bootstrap --bootstrap-password "$ADMIN_PASSWORD" --bootstrap-username admin --bootstrap-project-name admin \
      --bootstrap-role-name admin --bootstrap-service-name keystone --bootstrap-region-id RegionOne \
      --bootstrap-admin-url $url --bootstrap-public-url $url --bootstrap-internal-url $url &&
    placement-manage --config-file "$ETC/placement/placement.conf" db sync &&
    glance-manage --config-file "$ETC/glance/glance-api.conf" db_sync
}

nova_schema() {
  nova_manage api_db sync && nova_manage cell_v2 map_cell0 --database_connection "$(db nova_cell0)" &&
    { nova_manage cell_v2 list_cells | grep -q cell1 || nova_manage cell_v2 create_cell --name cell1; } &&
    nova_manage db sync
}

neutron_schema() {
  neutron-db-manage --config-file "$ETC/neutron/neutron.conf" --config-file "$ETC/neutron/ml2_conf.ini" upgrade head
}

first_time() { # databases, schemas, the first Keystone user, cells
  local d a b c rc=0
  [ -e "$LAB_STATE/.initialised" ] && return 0
  log "databases and schemas"
  for d in keystone placement glance neutron nova nova_api nova_cell0; do
    sql "CREATE DATABASE IF NOT EXISTS $d CHARACTER SET utf8mb3;" || return 1
  done
  sql "CREATE USER IF NOT EXISTS 'lab'@'127.0.0.1' IDENTIFIED BY 'lab'; GRANT ALL ON *.* TO 'lab'@'127.0.0.1';" || return 1
  mkdir -p "$LAB_STATE"/keystone/{fernet,credential}-keys
  keystone_and_friends >>"$LOGS/schema-keystone.log" 2>&1 & a=$!
  nova_schema >>"$LOGS/schema-nova.log" 2>&1 & b=$!
  neutron_schema >>"$LOGS/schema-neutron.log" 2>&1 & c=$!
  wait $a || rc=1; wait $b || rc=1; wait $c || rc=1
  [ $rc = 0 ] || { fail "a schema could not be set up; see $LOGS/schema-*.log"; return 1; }
  touch "$LAB_STATE/.initialised"
}

# A service that is still running with other knobs (an earlier run was cut short) is started again.
stop_if_configured_otherwise() { # NAME CONFIG
  if alive "$1" && ! cmp -s "$2" "$2.running"; then stop_one "$1"; fi
  cp "$2" "$2.running"
}

start_backing() {
  if [ ! -d "$LAB_STATE/mysql/mysql" ]; then
    mariadb-install-db --user=root --datadir="$LAB_STATE/mysql" --auth-root-authentication-method=normal \
      --skip-test-db >>"$LOGS/mariadb.log" 2>&1 || { fail "MariaDB could not be set up; see $LOGS/mariadb.log"; return 1; }
  fi
  log "database and broker"
  local s
  for s in $BEHIND; do start_service "$s" && wait_service "$s" || return 1; done
}

# The L2 agent names itself after a MAC and dies where no link has one, as in a fresh network namespace.
give_a_mac() {
  local address
  for address in /sys/class/net/*/address; do
    [ "$(cat "$address")" = 00:00:00:00:00:00 ] || return 0
  done
  ip tuntap add dev lab0 mode tap && touch "$LAB_STATE/taps/lab0"
}

wait_hosts() {
  local waiting s
  $PY "$LAB_DIR/bootstrap.py" hosts & waiting=$!
  while kill -0 $waiting 2>/dev/null; do
    for s in linuxbridge-agent nova-compute; do
      alive $s || { kill $waiting; fail "$s died; see $LOGS/$s.log"; return 1; }
    done
    sleep 0.5
  done
  wait $waiting
}

start_front() {
  local s
  stop_if_configured_otherwise keystone "$ETC/keystone/keystone.conf"
  stop_if_configured_otherwise nova-api "$ETC/nova/nova.conf"
  log "keystone"
  start_service keystone && wait_service keystone || return 1
  $PY "$LAB_DIR/bootstrap.py" catalog >>"$LOGS/bootstrap.log" 2>&1 ||
    { tail "$LOGS/bootstrap.log" >&2; fail "the catalog could not be made; see $LOGS/bootstrap.log"; return 1; }
  log "placement, glance, neutron, nova"
  for s in placement glance neutron-server nova-conductor nova-scheduler nova-api; do start_service $s || return 1; done
  for s in placement glance neutron-server nova-api; do wait_service $s || return 1; done
  give_a_mac || return 1
  for s in linuxbridge-agent nova-compute; do start_service $s || return 1; done
  log "compute host and L2 agent"
  wait_hosts || return 1
  [ -e "$LAB_STATE/.hosts_mapped" ] && return 0
  nova_manage cell_v2 discover_hosts >>"$LOGS/schema-nova.log" 2>&1 && touch "$LAB_STATE/.hosts_mapped"
}

write_openrc() {
  cat >"$LAB_STATE/openrc" <<RC
export OS_AUTH_URL=http://127.0.0.1:5000/v3 OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne
export OS_USERNAME=admin OS_PASSWORD=$ADMIN_PASSWORD OS_PROJECT_NAME=admin OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
RC
}

restart() {
  local s
  configure
  cp "$ETC/keystone/keystone.conf" "$ETC/keystone/keystone.conf.running"
  cp "$ETC/nova/nova.conf" "$ETC/nova/nova.conf.running"
  for s in "$@"; do stop_one "$s"; done
  for s in "$@"; do start_service "$s" && wait_service "$s" || return 1; done
  log "restarted: $*"
}

up() {
  local began installed
  began=$(now_ms)
  log "packages"
  install || return 1
  installed=$(now_ms)
  configure && start_backing && first_time && start_front && write_openrc || return 1
  log "OpenStack is up (packages $((installed - began)) ms, the rest $(($(now_ms) - installed)) ms); credentials in $LAB_STATE/openrc"
}

mkdir -p "$LOGS"
case ${1:-} in
  '') up ;;
  install) install ;;
  restart) shift; restart "$@" ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
