# How each service is started and when it counts as up. Source it after lib.sh.
# shellcheck shell=bash

port_of() {
  case $1 in
    mariadb) echo "$DB_PORT" ;;
    epmd) echo 4369 ;;
    rabbitmq) echo 5672 ;;
    keystone) echo 5000 ;;
    placement) echo 8778 ;;
    glance) echo 9292 ;;
    neutron-server) echo 9696 ;;
    nova-api) echo 8774 ;;
  esac
}

rabbit_env() {
  export HOME=$LAB_STATE/rabbitmq ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=4369
  export RABBITMQ_NODENAME=rabbit@localhost RABBITMQ_MNESIA_BASE=$LAB_STATE/rabbitmq/mnesia
  export RABBITMQ_LOG_BASE=$LAB_STATE/rabbitmq/log RABBITMQ_CONFIG_FILE=$ETC/rabbitmq.conf
  export RABBITMQ_ENABLED_PLUGINS_FILE=$ETC/enabled_plugins RABBITMQ_DIST_PORT=25672
  export RABBITMQ_CONF_ENV_FILE=/dev/null RUNNING_UNDER_SYSTEMD=true
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
  export RABBITMQ_CTL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
}

# Zed's linuxbridge agent cannot delete its own ARP-protection rules through Debian's nft-backed ebtables: from the
# second update of a wired port on it would fail for ever and leave the port in BUILD. Nothing here needs ARP
# protection, so the agent gets an ebtables that does nothing.
harmless_ebtables() {
  mkdir -p "$LAB_STATE/bin"
  printf '#!/bin/sh\nexit 0\n' >"$LAB_STATE/bin/ebtables"
  chmod +x "$LAB_STATE/bin/ebtables"
}

start_service() {
  local name=$1 port
  port=$(port_of "$name")
  if ! alive "$name" && [ -n "$port" ] && listens "$port"; then
    fail "$name needs 127.0.0.1:$port, which another process holds; stop that, or use a network namespace of its own"
    return 1
  fi
  local nova_db="--config-file $ETC/nova/nova.conf --config-file $ETC/nova/nova-db.conf"
  local neutron_conf="--config-file $ETC/neutron/neutron.conf"
  # shellcheck disable=SC2086
  case $name in
    mariadb) spawn mariadb mariadbd --defaults-file="$ETC/my.cnf" --user=root ;;
    epmd) spawn epmd epmd -address 127.0.0.1 -port 4369 ;;
    rabbitmq) (rabbit_env; spawn rabbitmq /usr/lib/rabbitmq/bin/rabbitmq-server) ;;
    keystone) OS_KEYSTONE_CONFIG_FILES=$ETC/keystone/keystone.conf spawn keystone uwsgi_python3 --ini "$ETC/keystone/uwsgi.ini" ;;
    placement) OS_PLACEMENT_CONFIG_DIR=$ETC/placement spawn placement uwsgi_python3 --ini "$ETC/placement/uwsgi.ini" ;;
    glance) OS_GLANCE_CONFIG_DIR=$ETC/glance spawn glance uwsgi_python3 --ini "$ETC/glance/uwsgi.ini" ;;
    nova-api) OS_NOVA_CONFIG_DIR=$ETC/nova OS_NOVA_CONFIG_FILES='api-paste.ini;nova.conf;nova-db.conf' spawn nova-api uwsgi_python3 --ini "$ETC/nova/uwsgi.ini" ;;
    neutron-server) spawn neutron-server neutron-server $neutron_conf --config-file "$ETC/neutron/ml2_conf.ini" ;;
    linuxbridge-agent) harmless_ebtables; PATH=$LAB_STATE/bin:$PATH spawn linuxbridge-agent neutron-linuxbridge-agent $neutron_conf --config-file "$ETC/neutron/linuxbridge_agent.ini" ;;
    nova-conductor) spawn nova-conductor nova-conductor $nova_db ;;
    nova-scheduler) spawn nova-scheduler nova-scheduler $nova_db ;;
    nova-compute) spawn nova-compute "$PY" "$LAB_DIR/nova_compute.py" --config-file "$ETC/nova/nova.conf" ;;
    *) fail "unknown service $name" ;;
  esac
}

wait_service() {
  local port
  port=$(port_of "$1")
  case $1 in
    mariadb | epmd | rabbitmq) wait_until "$1" "port $port" listens "$port" ;;
    keystone) wait_until keystone "its API" answers "http://127.0.0.1:$port/v3" ;;
    placement | glance | nova-api | neutron-server) wait_until "$1" "its API" answers "http://127.0.0.1:$port/" ;;
  esac
}
