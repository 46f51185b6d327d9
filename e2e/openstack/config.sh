# Writes the configuration of every service into $ETC. Source it after lib.sh.
# shellcheck shell=bash

# uwsgi_ini NAME PORT WSGI PROCESSES THREADS: the settings are those of Debian's own *-uwsgi.ini.
uwsgi_ini() {
  cat <<INI
[uwsgi]
http-socket = 127.0.0.1:$2
buffer-size = 65535
rem-header = Content-Length
master = true
enable-threads = true
thunder-lock = true
plugins = python3
lazy-apps = true
paste-logger = true
no-orphans = true
die-on-term = true
processes = $4
threads = $5
listen = 100
name = $1
chdir = $LAB_STATE
wsgi-file = $3
INI
}

authtoken() {
  cat <<INI
[keystone_authtoken]
www_authenticate_uri = http://127.0.0.1:5000/v3
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = svc
password = $SVC_PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
service_token_roles_required = false
INI
}

auth_section() {
  cat <<INI
[$1]
auth_url = http://127.0.0.1:5000/v3
auth_type = password
username = svc
password = $SVC_PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne
INI
}

db() { echo "mysql+pymysql://lab:lab@127.0.0.1:$DB_PORT/$1?charset=utf8"; }

MQ="rabbit://$RABBIT_USER:$RABBIT_PASSWORD@127.0.0.1:5672/"
MQ_COMMON="[oslo_messaging_rabbit]
heartbeat_in_pthread = false
[oslo_messaging_notifications]
driver = messagingv2
topics = notifications"

configure_backing() { # database and broker
  cat >"$ETC/my.cnf" <<INI
[mysqld]
datadir = $LAB_STATE/mysql
socket = $LAB_STATE/mysql.sock
pid-file = $LAB_STATE/mysql.pid
bind-address = 127.0.0.1
port = $DB_PORT
max_connections = 600
innodb_flush_log_at_trx_commit = 0
innodb_doublewrite = 0
innodb_buffer_pool_size = 256M
performance_schema = off
character-set-server = utf8mb3
skip-name-resolve
INI
  cat >"$ETC/rabbitmq.conf" <<INI
listeners.tcp.1 = 127.0.0.1:5672
default_user = $RABBIT_USER
default_pass = $RABBIT_PASSWORD
loopback_users.guest = true
vm_memory_high_watermark.relative = 0.3
disk_free_limit.absolute = 200MB
INI
  echo '[].' >"$ETC/enabled_plugins"
}

configure_keystone() {
  uwsgi_ini keystone 5000 /usr/bin/keystone-wsgi-public 2 4 >"$ETC/keystone/uwsgi.ini"
  cat >"$ETC/keystone/keystone.conf" <<INI
[DEFAULT]
public_endpoint = http://127.0.0.1:5000/
notification_format = basic
transport_url = $MQ
$MQ_COMMON
[database]
connection = $(db keystone)
[token]
provider = fernet
expiration = $TOKEN_TTL
[fernet_tokens]
key_repository = $LAB_STATE/keystone/fernet-keys
[credential]
key_repository = $LAB_STATE/keystone/credential-keys
INI
}

configure_placement() {
  uwsgi_ini placement 8778 /usr/bin/placement-api 2 4 >"$ETC/placement/uwsgi.ini"
  cat >"$ETC/placement/placement.conf" <<INI
[api]
auth_strategy = keystone
[placement_database]
connection = $(db placement)
$(authtoken)
INI
}

configure_glance() { # with a file store
  uwsgi_ini glance 9292 /usr/bin/glance-wsgi-api 1 4 >"$ETC/glance/uwsgi.ini"
  printf 'socket-timeout = 10\nhttp-auto-chunked = true\nhttp-chunked-input = true\nhttp-raw-body = true\nwsgi-manage-chunked-input = true\n' >>"$ETC/glance/uwsgi.ini"
  cp /etc/glance/glance-api-paste.ini "$ETC/glance/"
  cp -r /etc/glance/metadefs "$ETC/glance/" 2>/dev/null
  cat >"$ETC/glance/glance-api.conf" <<INI
[DEFAULT]
transport_url = $MQ
enabled_backends = file:file
[database]
connection = $(db glance)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $LAB_STATE/glance-images
[os_glance_staging_store]
filesystem_store_datadir = $LAB_STATE/glance-staging
[os_glance_tasks_store]
filesystem_store_datadir = $LAB_STATE/glance-tasks
[paste_deploy]
flavor = keystone
config_file = $ETC/glance/glance-api-paste.ini
[oslo_policy]
policy_dirs = $ETC/glance/policy.d
$(authtoken)
INI
}

configure_neutron() {
  cp /etc/neutron/api-paste.ini "$ETC/neutron/"
  cat >"$ETC/neutron/neutron.conf" <<INI
[DEFAULT]
host = $COMPUTE_HOST
bind_host = 127.0.0.1
bind_port = 9696
core_plugin = ml2
service_plugins = router
auth_strategy = keystone
api_paste_config = $ETC/neutron/api-paste.ini
state_path = $LAB_STATE/neutron
transport_url = $MQ
api_workers = 2
rpc_workers = 1
rpc_state_report_workers = 1
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
global_physnet_mtu = 9050
dhcp_agent_notification = false
agent_down_time = 75
[agent]
root_helper = env
report_interval = 10
[privsep]
helper_command = env privsep-helper --config-file $ETC/neutron/neutron.conf
[experimental]
linuxbridge = true
[database]
connection = $(db neutron)
[oslo_concurrency]
lock_path = $LAB_STATE/neutron/lock
[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_security_group = -1
quota_security_group_rule = -1
$MQ_COMMON
$(auth_section nova)
$(auth_section placement)
$(authtoken)
INI
  cat >"$ETC/neutron/ml2_conf.ini" <<INI
[ml2]
type_drivers = local,flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = linuxbridge,l2population
extension_drivers = port_security
path_mtu = 9050
[ml2_type_vxlan]
vni_ranges = 1000:9999
[securitygroup]
enable_security_group = true
firewall_driver = noop
INI
  cat >"$ETC/neutron/linuxbridge_agent.ini" <<INI
[linux_bridge]
[vxlan]
enable_vxlan = true
local_ip = 127.0.0.1
l2_population = true
[agent]
polling_interval = 2
prevent_arp_spoofing = false
[securitygroup]
enable_security_group = false
firewall_driver = noop
INI
}

configure_nova() {
  uwsgi_ini nova-api 8774 /usr/bin/nova-api-wsgi 3 1 >"$ETC/nova/uwsgi.ini"
  cp /etc/nova/api-paste.ini "$ETC/nova/"
  cat >"$ETC/nova/nova.conf" <<INI
[DEFAULT]
host = $COMPUTE_HOST
my_ip = 127.0.0.1
transport_url = $MQ
state_path = $LAB_STATE/nova
compute_driver = fake.FakeDriver
enabled_apis = osapi_compute
osapi_compute_listen = 127.0.0.1
metadata_listen = 127.0.0.1
service_down_time = 75
sync_power_state_interval = -1
report_interval = 10
[api]
auth_strategy = keystone
max_limit = $NOVA_MAX_LIMIT
[wsgi]
api_paste_config = $ETC/nova/api-paste.ini
[conductor]
workers = 2
[scheduler]
workers = 1
[filter_scheduler]
track_instance_changes = false
[compute]
[notifications]
notification_format = both
notify_on_state_change = vm_and_task_state
[quota]
instances = -1
cores = -1
ram = -1
metadata_items = -1
server_groups = -1
[oslo_concurrency]
lock_path = $LAB_STATE/nova/lock
[vnc]
enabled = false
[glance]
api_servers = http://127.0.0.1:9292
[cinder]
catalog_info = volumev3::internalURL
[key_manager]
backend = nova.keymgr.conf_key_mgr.ConfKeyManager
fixed_key = 0000000000000000000000000000000000000000000000000000000000000000
$MQ_COMMON
$(auth_section placement)
$(auth_section neutron)
$(authtoken)
INI
  # nova-compute must not see a database: these go to every other nova service.
  cat >"$ETC/nova/nova-db.conf" <<INI
[api_database]
connection = $(db nova_api)
[database]
connection = $(db nova)
max_pool_size = 20
INI
}

configure() {
  mkdir -p "$LOGS" "$PIDS" "$ETC"/{keystone,placement,glance,nova,neutron} \
    "$LAB_STATE"/{mysql,rabbitmq,glance-images,nova,neutron,keystone,taps}
  touch "$MARKER"
  configure_backing
  configure_keystone
  configure_placement
  configure_glance
  configure_neutron
  configure_nova
}
