//! Fuzzing on stable Rust: seeds, mutations, and the outcome of each run as feedback.
//!
//! A coverage-guided fuzzer needs a nightly compiler. This one looks at what the target returns instead: an input with an
//! outcome not seen before joins the seeds, so that the mutations go on from there. In a normal test run the inputs are the
//! same each time; with `MULTINIC_FUZZ_SECONDS=300` the run lasts that long and is different each time.
//!
//! ```
//! let seeds = [b"12".to_vec(), b"[1, 2]".to_vec()];
//! multinic_testing::fuzz::run("numbers", &seeds, |bytes| String::from_utf8_lossy(bytes).parse::<u8>().is_ok());
//! ```

mod json;
mod mutate;

use std::{
    collections::HashSet,
    env,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// How many inputs a normal test run tries.
const INPUTS: u64 = 5_000;

/// The greatest number of seeds, found ones included.
const MAX_SEEDS: usize = 2_000;

/// The environment variable that asks for a long run.
const SECONDS: &str = "MULTINIC_FUZZ_SECONDS";

/// When a run ends.
enum Budget {
    Inputs(u64),
    Until(Instant),
}

/// Calls `target` with every seed and with mutations of them; returns how many inputs were tried. An input that makes it
/// panic is printed.
pub fn run<T: Hash>(name: &str, seeds: &[Vec<u8>], mut target: impl FnMut(&[u8]) -> T) -> u64 {
    let (budget, mut random) = plan(name);
    let mut seeds = seeds.to_vec();
    let mut outcomes = HashSet::new();
    for seed in &seeds {
        outcomes.insert(outcome(name, &mut target, seed));
    }
    let mut tried = 0;
    while !budget.is_spent(tried) {
        let input = next_input(&seeds, &mut random);
        if outcomes.insert(outcome(name, &mut target, &input)) && seeds.len() < MAX_SEEDS {
            seeds.push(input);
        }
        tried += 1;
    }
    eprintln!("fuzz {name}: {tried} inputs, {} outcomes, no panic", outcomes.len());
    tried
}

fn plan(name: &str) -> (Budget, StdRng) {
    match env::var(SECONDS) {
        Ok(seconds) => {
            let seconds = seconds.parse().expect("MULTINIC_FUZZ_SECONDS is a number of seconds");
            (
                Budget::Until(Instant::now() + Duration::from_secs(seconds)),
                rand::make_rng(),
            )
        }
        Err(_) => (Budget::Inputs(INPUTS), StdRng::seed_from_u64(hash(name))),
    }
}

impl Budget {
    fn is_spent(&self, tried: u64) -> bool {
        match self {
            Self::Inputs(inputs) => tried >= *inputs,
            Self::Until(end) => Instant::now() >= *end,
        }
    }
}

fn next_input(seeds: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let Some(seed) = seeds.choose(random).filter(|_| random.random_ratio(49, 50)) else {
        return mutate::noise(random);
    };
    let other = seeds.choose(random).unwrap_or(seed);
    let mut input = if random.random() {
        json::mutate(seed, random)
    } else {
        None
    }
    .unwrap_or_else(|| seed.clone());
    // Half of the rewritten JSON stays well-formed, so that what lies behind the parser is reached.
    if input == *seed || random.random() {
        for _ in 0..random.random_range(1..=4) {
            mutate::bytes(&mut input, other, random);
        }
    }
    input
}

fn outcome<T: Hash>(name: &str, target: &mut impl FnMut(&[u8]) -> T, input: &[u8]) -> u64 {
    match catch_unwind(AssertUnwindSafe(|| target(input))) {
        Ok(outcome) => hash(outcome),
        Err(panic) => {
            eprintln!("fuzz {name}: this input panics: b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_behind_a_few_steps_is_found() {
        let target = |bytes: &[u8]| {
            let steps = b"BUG!".iter().zip(bytes).take_while(|(a, b)| a == b).count();
            assert!(steps < 2, "found");
            steps
        };
        assert!(catch_unwind(|| run("steps", &[b"xxxx".to_vec()], target)).is_err());
    }

    #[test]
    fn a_wrong_type_deep_in_json_is_found() {
        let target = |bytes: &[u8]| {
            let json: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
            assert!(!json["data"]["items"][0].is_object(), "found");
        };
        let seed = br#"{"data": {"items": ["a", "b"], "next": null}}"#;
        assert!(catch_unwind(|| run("json", &[seed.to_vec()], target)).is_err());
    }

    #[test]
    fn without_a_budget_in_the_environment_the_inputs_are_always_the_same() {
        let inputs = || {
            let mut random = plan("same").1;
            (0..100)
                .map(|_| next_input(&[b"{\"a\":[1,2]}".to_vec()], &mut random))
                .collect::<Vec<_>>()
        };
        assert_eq!(inputs(), inputs());
    }
}
