//! What the kernel says about this process, under the names that every Prometheus client uses.

use std::fs;

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// Read anew at each scrape. What cannot be read (another system than Linux) is left out.
#[derive(Debug)]
pub(super) struct Process;

impl prometheus_client::collector::Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut gauge = |name, help, unit: Option<&Unit>, value: Option<f64>| match value {
            Some(value) => {
                let gauge = ConstGauge::new(value);
                gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)
            }
            None => Ok(()),
        };
        let stat = Stat::read();
        gauge(
            "process_resident_memory",
            "Resident memory size",
            Some(&Unit::Bytes),
            resident(),
        )?;
        gauge("process_open_fds", "Open file descriptors", None, open_files())?;
        gauge(
            "process_threads",
            "Operating system threads",
            None,
            stat.as_ref().map(|stat| stat.threads),
        )?;
        gauge(
            "process_tasks",
            "Asynchronous tasks that have not ended",
            None,
            Some(tasks()),
        )?;
        gauge(
            "process_start_time",
            "Start time since the Unix epoch",
            Some(&Unit::Seconds),
            stat.as_ref().and_then(|stat| Some(boot_time()? + stat.started)),
        )?;
        if let Some(stat) = stat {
            let cpu = ConstCounter::new(stat.cpu);
            let (name, help) = ("process_cpu", "User and system time");
            cpu.encode(encoder.encode_descriptor(name, help, Some(&Unit::Seconds), cpu.metric_type())?)?;
        }
        Ok(())
    }
}

fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = kibibytes.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn open_files() -> Option<f64> {
    // The listing itself has one open.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

/// Of the runtime that serves the scrape, which is everybody's; none without one.
fn tasks() -> f64 {
    let runtime = tokio::runtime::Handle::try_current();
    let tasks = runtime.map_or(0, |runtime| runtime.metrics().num_alive_tasks());
    u32::try_from(tasks).map_or(f64::MAX, f64::from)
}

/// Seconds since the epoch.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}

/// `/proc/self/stat`, times in seconds.
struct Stat {
    cpu: f64,
    threads: f64,
    /// After boot.
    started: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        let text = fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program may hold anything, parentheses too; the fields follow the last one, from the third on.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let ticks = u32::try_from(rustix::param::clock_ticks_per_second())
            .ok()
            .map(f64::from)?;
        Some(Self {
            cpu: (field(14)? + field(15)?) / ticks,
            threads: field(20)?,
            started: field(22)? / ticks,
        })
    }
}
