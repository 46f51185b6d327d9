//! Memory, tasks and descriptors of the replicas, quiet point by quiet point.

use stage::Failure;

use crate::replicas::Replicas;

/// A replica at a quiet point.
#[derive(Clone, Copy, Debug)]
struct Sample {
    resident: f64,
    descriptors: f64,
    tasks: f64,
}

/// All samples, those of the first replica and those of the second.
#[derive(Default)]
pub struct Growth {
    samples: [Vec<Sample>; 2],
}

/// So many quiet points at the beginning and at the end are compared.
const WINDOW: usize = 3;

impl Growth {
    /// Takes one of each replica.
    pub async fn sample(&mut self, replicas: &Replicas) -> Result<(), Failure> {
        for (samples, replica) in self.samples.iter_mut().zip(replicas.all()) {
            let metrics = replica.metrics().await?;
            let tasks = metrics.lines().find_map(|line| line.strip_prefix("process_tasks "));
            let tasks: f64 = tasks.ok_or("no process_tasks in the metrics")?.trim().parse()?;
            let usage = replica.usage()?;
            samples.push(Sample {
                resident: usage.mebibytes(),
                descriptors: f64::from(u32::try_from(usage.descriptors)?),
                tasks,
            });
        }
        Ok(())
    }

    /// The least at the end must not be above the most at the beginning, and a little.
    pub fn judge(&self) -> Result<(), Failure> {
        for (name, samples) in ["a", "b"].into_iter().zip(&self.samples) {
            let figures: [(&str, fn(&Sample) -> f64, f64); 3] = [
                ("resident MiB", |sample| sample.resident, 4.0),
                ("descriptors", |sample| sample.descriptors, 8.0),
                ("tasks", |sample| sample.tasks, 8.0),
            ];
            for (what, figure, slack) in figures {
                let all: Vec<f64> = samples.iter().map(figure).collect();
                println!("replica {name}, {what}: {all:.1?}");
                let first = all.iter().take(WINDOW).copied().fold(0.0, f64::max);
                let last = all.iter().rev().take(WINDOW).copied().fold(f64::MAX, f64::min);
                if last > first + slack && !all.is_empty() {
                    return Err(format!("replica {name}, {what}: grew from {first} to {last}").into());
                }
            }
        }
        Ok(())
    }
}
