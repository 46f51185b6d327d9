//! Clouds that most tests want, and the constants in them.

use super::CloudBuilder;

/// The password of every administrator that was not given another one.
pub const DEMO_ADMIN_PASSWORD: &str = "demo-admin-password";

/// The passphrase behind [`DEMO_ADMIN_PW`].
pub const DEMO_ENCRYPTION_KEY: &str = "demo-encryption-key";

/// [`DEMO_ADMIN_PASSWORD`] as Contrabass gives it. Made by OpenSSL 3.0.19:
/// `printf %s demo-admin-password | openssl enc -aes-128-cbc -md sha256 -salt -k demo-encryption-key -base64 -A`
pub const DEMO_ADMIN_PW: &str = "U2FsdGVkX188yk4TqY8NIUn26zcfw09P2e0z3gYVvrS0GDvtML4Nb1aNHHOh9Tfl";

/// The same with `-md md5`, as CryptoJS and OpenSSL before 1.1 derive the key.
pub const DEMO_ADMIN_PW_MD5: &str = "U2FsdGVkX18ZgLVEjys9Cv+3dzNJhCjEQ2iz+BM/oUi83SbFvLDUNgPtcWuvwDq2";

/// The password of RabbitMQ in the ready-made clouds.
pub const DEMO_RABBIT_PASSWORD: &str = "demo-rabbit-password";

/// [`DEMO_RABBIT_PASSWORD`], made like [`DEMO_ADMIN_PW`].
pub const DEMO_RABBIT_PW: &str = "U2FsdGVkX182ISYkeASQ9lPZwm65y/T2yzDqqw/UWOvqp8Aa7MV/5yoHKHXoLELu";

/// The provider of the sample `OpenstackConfig`.
pub const SEED_PROVIDER: &str = "a919ea1c-9a09-4a9f-9021-ec68c1de2159";

/// The project of the sample `OpenstackConfig`.
pub const SEED_PROJECT: &str = "df64928216f740d3a6b84a66fa30b649";

/// The subnet's id in the sample `OpenstackConfig`, letter for letter.
pub const SEED_SUBNET_ID: &str = "subnet-uuid";

/// The subnet's name in the sample `OpenstackConfig`.
pub const SEED_SUBNET_NAME: &str = "test-sub";

impl CloudBuilder {
    /// The cloud the sample `OpenstackConfig` speaks of, so that it applies unchanged: its provider, project, subnet
    /// (`subnet-uuid`, named `test-sub`, MTU 1450) and three VMs. Each VM has its primary NIC on `primary-sub` and one
    /// port on `test-sub`; worker-2 has two there.
    pub fn seed() -> Self {
        Self::new()
            .provider(SEED_PROVIDER)
            .rabbitmq("openstack", DEMO_RABBIT_PW, &["rabbitmq.example.com:5672"])
            .project(SEED_PROJECT, "biz")
            .network("primary-net")
            .subnet("primary-sub", "10.10.0.0/16")
            .network("test-net")
            .mtu(1450)
            .subnet(SEED_SUBNET_NAME, "192.168.10.0/24")
            .id(SEED_SUBNET_ID)
            .vm("measure-biz-master-1")
            .metadata("k8s-node-name", "master-1")
            .port("primary-sub")
            .port(SEED_SUBNET_NAME)
            .vm("measure-biz-worker-2")
            .port("primary-sub")
            .port(SEED_SUBNET_NAME)
            .port(SEED_SUBNET_NAME)
            .vm("measure-biz-worker-3")
            .port("primary-sub")
            .port(SEED_SUBNET_NAME)
    }

    /// The seed's provider, project and subnet (as `10.0.0.0/8`) with `vms` VMs `vm-00001`, `vm-00002`, … that have
    /// `ports_per_vm` ports on it each.
    pub fn sized(vms: usize, ports_per_vm: usize) -> Self {
        let cloud = Self::new()
            .provider(SEED_PROVIDER)
            .project(SEED_PROJECT, "biz")
            .network("test-net")
            .mtu(1450)
            .subnet(SEED_SUBNET_NAME, "10.0.0.0/8")
            .id(SEED_SUBNET_ID);
        (1..=vms).fold(cloud, |cloud, n| {
            (0..ports_per_vm).fold(cloud.vm(&Self::sized_vm_name(n)), |cloud, _| cloud.port(SEED_SUBNET_ID))
        })
    }

    /// Like [`sized`](Self::sized), but each VM has one port on each of `subnets` subnets of its own network:
    /// `sub-1`, `sub-2`, … (`10.1.0.0/16`, `10.2.0.0/16`, …; at most 250), whose ids are their names.
    pub fn sized_over(vms: usize, subnets: usize) -> Self {
        let cloud = Self::new().provider(SEED_PROVIDER).project(SEED_PROJECT, "biz");
        let cloud = (1..=subnets).fold(cloud, |cloud, n| {
            let name = format!("sub-{n}");
            cloud
                .network(&format!("net-{n}"))
                .subnet(&name, &format!("10.{n}.0.0/16"))
                .id(&name)
        });
        (1..=vms).fold(cloud, |cloud, n| {
            (1..=subnets).fold(cloud.vm(&Self::sized_vm_name(n)), |cloud, n| {
                cloud.port(&format!("sub-{n}"))
            })
        })
    }

    /// The name of the `n`-th VM (from 1) of [`sized`](Self::sized) and [`sized_over`](Self::sized_over).
    pub fn sized_vm_name(n: usize) -> String {
        format!("vm-{n:05}")
    }
}
