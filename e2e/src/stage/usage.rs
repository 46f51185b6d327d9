//! What the kernel says about a process.

use std::{fs, time::Duration};

use crate::Failure;

/// Memory, time and descriptors of a process at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Usage {
    /// Resident, in KiB.
    pub resident: u64,
    /// The most it ever had resident, in KiB.
    pub peak: u64,
    /// User and system time since its start.
    pub cpu: Duration,
    /// Open file descriptors.
    pub descriptors: usize,
    /// Threads of the operating system.
    pub threads: u64,
}

impl Usage {
    /// Of the process with this id.
    pub fn of(pid: u32) -> Result<Self, Failure> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let number = |key: &str| -> Result<u64, Failure> {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .ok_or("no such line")?;
            Ok(line.split_whitespace().next().ok_or("no value")?.parse()?)
        };
        Ok(Self {
            resident: number("VmRSS:")?,
            peak: number("VmHWM:")?,
            cpu: cpu(pid)?,
            descriptors: fs::read_dir(format!("/proc/{pid}/fd"))?.count(),
            threads: number("Threads:")?,
        })
    }

    /// Resident memory in MiB.
    #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    pub fn mebibytes(self) -> f64 {
        self.resident as f64 / 1024.0
    }

    /// The most it ever had resident, in MiB.
    #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    pub fn peak_mebibytes(self) -> f64 {
        self.peak as f64 / 1024.0
    }
}

fn cpu(pid: u32) -> Result<Duration, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program may hold anything; the fields follow its last parenthesis, from the third on.
    let (_, rest) = stat.rsplit_once(')').ok_or("not the form of /proc/PID/stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field =
        |number: usize| -> Result<u64, Failure> { Ok(fields.get(number - 3).ok_or("too few fields")?.parse()?) };
    let ticks = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis((field(14)? + field(15)?) * 1000 / ticks))
}
