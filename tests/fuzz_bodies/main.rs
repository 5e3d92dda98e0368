//! What the fuzz targets run, as property tests: files near the seeds.
//!
//! Each body answers any bytes without a panic. `fuzz/` lets a fuzzer look for
//! those that it does not; here, where no nightly compiler is needed, good files
//! are changed at random.

#[cfg(feature = "npz")]
#[path = "../npz/builder.rs"]
#[allow(dead_code, reason = "it makes more for the tests of npz")]
mod builder;
mod checkpoint;
mod crc32;
#[cfg(feature = "csv")]
mod csv;
mod idx;
mod network;
#[cfg(feature = "npz")]
mod npz;
#[cfg(feature = "image")]
mod picture;
mod pixels;
mod safetensors;
#[cfg(all(feature = "csv", feature = "gzip", feature = "image", feature = "npz"))]
mod seeds;
mod unipen;
mod weights;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// A change of a file; places are shares of its length, so that they fit any.
#[derive(Debug, Clone)]
enum Change {
    Flip(f64, u8),
    Set(f64, u8),
    Truncate(f64),
    Remove(f64, usize),
    Insert(f64, Vec<u8>),
    Repeat(f64, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = || 0.0..1.0;
    let number = prop_oneof![
        Just(vec![0; 4]),
        Just(vec![255; 4]),
        Just(vec![0, 0, 0, 128]),
        prop::collection::vec(any::<u8>(), 1..12),
    ];
    prop_oneof![
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        4 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => place().prop_map(Change::Truncate),
        2 => (place(), 1..64_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (place(), number).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (place(), 1..64_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

fn apply(file: &mut Vec<u8>, change: &Change) {
    let place = |at: &f64| (at * file.len() as f64) as usize;
    match change {
        Change::Flip(at, bit) => {
            let at = place(at);
            file.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
        }
        Change::Set(at, value) => {
            let at = place(at);
            file.iter_mut().skip(at).take(1).for_each(|byte| *byte = *value);
        }
        Change::Truncate(at) => file.truncate(place(at)),
        Change::Remove(at, length) => {
            let at = place(at);
            file.drain(at..(at + length).min(file.len()));
        }
        Change::Insert(at, bytes) => {
            let at = place(at);
            file.splice(at..at, bytes.iter().copied());
        }
        Change::Repeat(at, length) => {
            let at = place(at);
            let part = file[at..(at + length).min(file.len())].to_vec();
            file.splice(at..at, part);
        }
    }
}

/// Runs a body on its seeds, then on what random changes make of them.
fn check(target: &str, cases: u32, body: fn(&[u8])) {
    let folder = Path::new("fixtures/seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("a folder of seeds")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a seed")).collect();
    assert!(!seeds.is_empty(), "no seeds for {target}");
    seeds.iter().for_each(|seed| body(seed));
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..Default::default()
    };
    proptest!(config, |(seed in 0..seeds.len(), changes in prop::collection::vec(change(), 1..8))| {
        let mut file = seeds[seed].clone();
        changes.iter().for_each(|change| apply(&mut file, change));
        body(&file);
    });
}

#[test]
fn weights_files() {
    check("weights", 4_000, weights::run);
}

#[cfg(feature = "npz")]
#[test]
fn npz_files() {
    check("npz", 2_000, npz::run);
}

#[test]
fn safetensors_files() {
    check("safetensors", 4_000, safetensors::run);
}

#[test]
fn idx_files() {
    check("idx", 4_000, idx::run);
}

#[cfg(feature = "csv")]
#[test]
fn csv_files() {
    check("csv", 1_000, csv::run);
}

#[test]
fn unipen_files() {
    check("unipen", 2_000, unipen::run);
}

#[test]
fn checkpoints() {
    check("checkpoint", 1_000, checkpoint::run);
}

#[cfg(feature = "image")]
#[test]
fn picture_files() {
    check("picture", 500, picture::run);
}

#[test]
fn pixels_of_any_shape() {
    check("pixels", 500, pixels::run);
}
