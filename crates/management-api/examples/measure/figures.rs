//! What is printed.

use std::{fs, time::Duration};

/// One line: the middle, the tail, the end.
pub fn print(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!(
        "{name:<34} median {:8.2} ms   p95 {:8.2} ms   p99 {:8.2} ms   max {:8.2} ms   ({} times)",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
        times.len()
    );
}

/// How many processes wanted a core in the last minute, on average.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().unwrap_or_default().to_owned()
}
