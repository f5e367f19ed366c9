//! Seeded simulation: the engine against a venue that loses, delays, repeats and reorders, on a machine that crashes.
//!
//! One seed draws a market, what people and a strategy want, which faults happen how often, and where the process dies.
//! Everything not committed is then gone, and so is every report on its way; the engine comes back from its newest
//! snapshot and the journal behind it, asks the venue about what it does not know, and goes on. After each step and at
//! the end the engine is held against the venue's own records, which the engine never sees.
//!
//! A failing seed is printed; `SIM_SEED=n cargo test -p cw-engine --test simulation` runs that one alone, and
//! `SIM_SEEDS=n` that many.
//!
//! The test is tested: each [`Mutant`] is a mistake that a program around the engine, or the engine itself, could make,
//! and has to be caught.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

#[path = "simulation/world.rs"]
mod world;

use world::{Mutant, Outcome, simulate};

fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(default),
    }
}

#[test]
fn no_seed_breaks_a_promise() {
    let mut sum = Outcome::default();
    let mut failed = Vec::new();
    for seed in seeds(600) {
        match std::panic::catch_unwind(|| simulate(seed, Mutant::None)) {
            Ok(outcome) => sum.add(&outcome),
            Err(_) => failed.push(seed),
        }
    }
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
    // The faults that the test is about did happen.
    if std::env::var_os("SIM_SEED").is_none() {
        for (what, count) in [
            ("orders", sum.orders),
            ("fills", sum.fills),
            ("lost replies", sum.lost_replies),
            ("repeated reports", sum.repeated),
            ("fills after a cancel", sum.fills_after_cancel),
            ("crashes", sum.crashes),
            ("crashes between journal and venue", sum.crashes_before_send),
            ("orders proven absent", sum.proven_absent),
            ("exit legs", sum.legs),
            ("resized legs", sum.amended),
            ("denied orders", sum.denied),
            ("orders while halted", sum.sent_while_halted),
        ] {
            assert!(count > 50, "only {count} {what} in all seeds");
        }
    }
}

#[test]
fn the_same_seed_writes_the_same_journal() {
    for seed in (0..60).step_by(10) {
        let (one, two) = (simulate(seed, Mutant::None), simulate(seed, Mutant::None));
        assert_eq!(one.head, two.head, "seed {seed}");
        assert_ne!(one.head, simulate(seed + 1, Mutant::None).head);
    }
}

/// Runs seeds until one fails.
#[track_caller]
fn dies(mutant: Mutant) {
    let hook = std::panic::take_hook();
    // The failures are wanted here; their text would only hide the unwanted ones.
    std::panic::set_hook(Box::new(|_| {}));
    let caught = (0..200).any(|seed| std::panic::catch_unwind(|| simulate(seed, mutant)).is_err());
    std::panic::set_hook(hook);
    assert!(caught, "{mutant:?} lived through 200 seeds");
}

/// One test, because the panic hook belongs to the whole process.
#[test]
fn every_mutant_is_caught() {
    for mutant in Mutant::ALL {
        dies(mutant);
    }
}
