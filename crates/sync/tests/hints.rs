//! What is hinted at is looked at again, and what comes out is what a whole reading says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{net::IpAddr, sync::Arc};

use common::{CLUSTER, Cr, PROJECT, PROVIDER, Staging};
use multinic_cloud::ReadRequest;
use multinic_lab::{CloudBuilder, CloudHandle, Service};
use multinic_model::{
    ClusterId, InstanceId, NetworkId, SubnetId, SubnetSelector,
    inventory::{Inventory, SubnetLookup},
};
use multinic_notifications::{Hint, NetworkHint, PortHint, ServerHint, SubnetHint};
use multinic_sync::{
    Place, Readings,
    readings::{Audience, Freshness, PlaceReading, ReadingId, ReadingsPace, Since, wishes},
};
use proptest::prelude::*;
use tokio::time::Instant;

const VMS: [&str; 10] = ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9"];
const SUBNETS: [&str; 3] = ["sub-a", "sub-b", "elsewhere"];

/// Ten servers of which eight are wanted, on two subnets of three.
struct Sky {
    stage: common::Stage,
    hinted: Readings,
    place: Place,
    request: ReadRequest,
    ports: Vec<String>,
    /// The ids of all servers that ever were.
    vms: Vec<String>,
    networks: [NetworkId; 2],
    sub_b: SubnetId,
    made: usize,
}

impl Sky {
    async fn new() -> Self {
        let mut cloud = CloudBuilder::new()
            .provider(PROVIDER)
            .project(PROJECT, "biz")
            .network("net");
        for (n, subnet) in SUBNETS.iter().enumerate() {
            cloud = cloud
                .network(&format!("net-{n}"))
                .subnet(subnet, &format!("10.{n}.0.0/24"));
        }
        for vm in VMS {
            cloud = cloud.vm(vm).port("sub-a").port("elsewhere");
        }
        let staging = Staging {
            openstack: vec!["nodeNameMetadataKey: node".to_owned()],
            ..Staging::default()
        };
        let stage = staging.stage(cloud);
        let ports = VMS
            .iter()
            .flat_map(|vm| stage.lab.cloud().ports_of(vm).unwrap())
            .collect();
        let vms = VMS.map(|vm| stage.lab.cloud().vm_id(vm).unwrap()).to_vec();
        let place = Place {
            provider: PROVIDER.parse().unwrap(),
            project: PROJECT.parse().unwrap(),
        };
        let id = |vm| stage.lab.cloud().vm_id(vm).unwrap();
        let by_name = Cr::on_name("a", "sub-a", &VMS[..6]).config();
        let by_id = Cr::on_name("b", "sub-b", &[&id("w6"), &id("w7")]).config();
        let request = wishes(&[by_name, by_id]).into_values().next().unwrap();
        let hinted = Readings::new(Arc::clone(&stage.connections), ReadingsPace::default());
        hinted.want(&cluster(), [(place.clone(), request.clone())].into());
        hinted.announces(&place.provider);
        let first = Freshness {
            since: Since::whole(Instant::now()),
            newer_than: None,
        };
        let first = hinted.reading(&cluster(), &place, first).await;
        let found = |name: &str| match &first.outcome.as_ref().unwrap().subnets[&SubnetSelector::Name(name.to_owned())]
        {
            SubnetLookup::Found(subnet) => subnet.clone(),
            other => panic!("{other:?}"),
        };
        Self {
            networks: [found("sub-a").network_id, found("sub-b").network_id],
            sub_b: found("sub-b").id,
            stage,
            hinted,
            place,
            request,
            ports,
            vms,
            made: 0,
        }
    }

    fn cloud(&self) -> CloudHandle {
        self.stage.lab.cloud()
    }

    async fn read(&self, since: Since, newer_than: Option<ReadingId>) -> Arc<PlaceReading> {
        let freshness = Freshness { since, newer_than };
        self.hinted.reading(&cluster(), &self.place, freshness).await
    }

    /// What a whole reading says now.
    async fn whole(&self) -> Inventory {
        let other = Readings::new(self.stage.connect(), ReadingsPace::default());
        other.want(&cluster(), [(self.place.clone(), self.request.clone())].into());
        let freshness = Freshness {
            since: Since::whole(Instant::now()),
            newer_than: None,
        };
        let reading = other.reading(&cluster(), &self.place, freshness).await;
        reading.outcome.as_ref().unwrap().as_ref().clone()
    }

    fn requests(&self) -> usize {
        [Service::Keystone, Service::Nova, Service::Neutron]
            .map(|service| self.stage.lab.requests_to(service).len())
            .iter()
            .sum()
    }

    /// One thing happens; says what OpenStack announces of it.
    fn happens(&mut self, (kind, a, b): (u8, u8, u8)) -> Vec<Hint> {
        let cloud = self.cloud();
        let vm = VMS[usize::from(a) % VMS.len()];
        let subnet = SUBNETS[usize::from(b) % SUBNETS.len()];
        let port = self.ports.get(usize::from(a) % self.ports.len().max(1)).cloned();
        let port = port.filter(|port| cloud.mac_of(port).is_ok());
        let id = cloud.vm_id(vm).ok();
        match kind {
            0 | 1 => {
                let Some(id) = id else { return Vec::new() };
                let Ok(made) = cloud.attach_port(&id, subnet) else {
                    return Vec::new();
                };
                self.ports.push(made.clone());
                vec![plugged(&made, Some(&id), false)]
            }
            2 => port.map_or(Vec::new(), |port| {
                cloud.detach_port(&port).unwrap();
                vec![plugged(&port, None, false)]
            }),
            3 => port.map_or(Vec::new(), |port| {
                cloud.delete_port(&port).unwrap();
                vec![plugged(&port, None, true)]
            }),
            4 => port.zip(id).map_or(Vec::new(), |(port, id)| {
                cloud.attach(&port, &id).unwrap();
                vec![plugged(&port, Some(&id), false)]
            }),
            5 => id.map_or(Vec::new(), |id| {
                // Another's name, a wanted one that is free, or one that nobody wants.
                let name = ["w1", "w5", "free"][usize::from(b) % 3];
                cloud.rename_vm(&id, name).unwrap();
                vec![server(&id, name, false)]
            }),
            6 => id.map_or(Vec::new(), |id| {
                cloud.delete_vm(&id).unwrap();
                vec![server(&id, vm, true)]
            }),
            7 => {
                self.made += 1;
                let (name, tag) = (["w2", "w3", "nobody"][usize::from(b) % 3], format!("new-{}", self.made));
                let new = CloudBuilder::new()
                    .provider(PROVIDER)
                    .in_project(PROJECT)
                    .vm(&tag)
                    .port("sub-b");
                if cloud.add(new).is_err() {
                    return Vec::new();
                }
                let id = cloud.vm_id(&tag).unwrap();
                cloud.rename_vm(&id, name).unwrap();
                self.vms.push(id.clone());
                self.ports.extend(cloud.ports_of(&id).unwrap());
                vec![server(&id, name, false)]
            }
            8 => {
                let network = usize::from(b % 2);
                cloud.set_mtu(&format!("net-{network}"), 1400 + i64::from(a)).unwrap();
                let network = self.networks[network];
                vec![Hint::Network(NetworkHint { network })]
            }
            10 => {
                // The one that is wanted by its name goes, or comes back.
                let (from, to) = if b % 2 == 0 {
                    ("sub-b", "other")
                } else {
                    ("other", "sub-b")
                };
                let Ok(()) = cloud.rename_subnet(from, to) else {
                    return Vec::new();
                };
                vec![Hint::Subnet(SubnetHint {
                    subnet: self.sub_b.clone(),
                    name: Some(to.to_owned()),
                    network: None,
                })]
            }
            9 => id.map_or(Vec::new(), |id| {
                cloud.set_metadata(&id, "node", Some(subnet)).unwrap();
                vec![server(&id, vm, false)]
            }),
            _ => port.map_or(Vec::new(), |port| {
                let address: IpAddr = [10, b % 2, 0, 100 + a % 100].into();
                if cloud
                    .set_fixed_ips(&port, &[(SUBNETS[usize::from(b % 2)], address)])
                    .is_err()
                {
                    return Vec::new();
                }
                vec![self.as_it_is(&port)]
            }),
        }
    }

    /// Neutron's own words of a port that was changed.
    fn as_it_is(&self, port: &str) -> Hint {
        let ports_of = |vm: &String| self.cloud().ports_of(vm).unwrap_or_default();
        let device = self.vms.iter().find(|vm| ports_of(vm).iter().any(|of| of == port));
        plugged(port, device.map(String::as_str), false)
    }
}

fn cluster() -> ClusterId {
    CLUSTER.parse().unwrap()
}

fn plugged(port: &str, device: Option<&str>, gone: bool) -> Hint {
    let device: Option<InstanceId> = device.map(|id| id.parse().unwrap());
    Hint::Port(PortHint {
        port: port.parse().unwrap(),
        mac: None,
        devices: device.iter().cloned().collect(),
        device,
        addresses: None,
        gone,
    })
}

fn server(id: &str, name: &str, gone: bool) -> Hint {
    Hint::Server(ServerHint {
        instance: id.parse().unwrap(),
        project: Some(PROJECT.parse().unwrap()),
        name: (!gone).then(|| name.to_owned()),
        server: true,
        ports: true,
        gone,
        detached: false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_part_brings_the_last_reading_to_what_a_whole_one_says(
        days in prop::collection::vec(prop::collection::vec((0_u8..12, any::<u8>(), any::<u8>()), 1..5), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut sky = Sky::new().await;
            for day in days {
                let hints: Vec<_> = day.iter().flat_map(|event| sky.happens(*event)).collect();
                sky.hinted.hint(&sky.place.provider, &hints);
                let reading = sky.read(Since::hints(Instant::now()), None).await;
                let inventory = reading.outcome.as_ref().unwrap();
                assert_eq!(**inventory, sky.whole().await, "{day:?} {hints:?}");
            }
            assert_eq!(sky.stage.connections.counts().whole_readings, 1, "everything else was read in parts");
        });
    }
}

#[tokio::test]
async fn a_port_that_is_plugged_in_costs_one_request() {
    let mut sky = Sky::new().await;
    sky.stage.lab.clear_requests();
    let hints = sky.happens((0, 1, 0));
    let audience = sky.hinted.hint(&sky.place.provider, &hints);
    assert_eq!(audience.concerning, 1);
    assert_eq!(audience.due.keys().collect::<Vec<_>>(), [&cluster()]);
    let reading = sky.read(Since::hints(Instant::now()), None).await;
    let ports = &reading.outcome.as_ref().unwrap().ports;
    assert!(ports.contains_key(&sky.ports.last().unwrap().parse().unwrap()));
    assert_eq!(sky.requests(), 1);
}

#[tokio::test]
async fn what_concerns_nobody_costs_nothing() {
    let mut sky = Sky::new().await;
    sky.stage.lab.clear_requests();
    // A server that nobody wants, a port of nobody, and another project's server of a wanted name.
    let unwanted = sky.happens((0, 9, 0));
    let nobodys = plugged("00000000-0000-0000-0000-0000000000aa", None, false);
    let Hint::Server(mut foreign) = server("00000000-0000-0000-0000-0000000000bb", "w1", false) else {
        unreachable!()
    };
    foreign.project = Some("ffffffffffffffffffffffffffffffff".parse().unwrap());
    for hint in unwanted.into_iter().chain([nobodys, Hint::Server(foreign)]) {
        assert_eq!(sky.hinted.hint(&sky.place.provider, &[hint]), Audience::default());
    }
    let elsewhere = sky.happens((0, 1, 0));
    let another = "another".parse().unwrap();
    assert_eq!(sky.hinted.hint(&another, &elsewhere), Audience::default());
    assert_eq!(sky.requests(), 0);
}
