#![no_main]

#[path = "../../tests/fuzz_bodies/csv.rs"]
mod csv;

libfuzzer_sys::fuzz_target!(|data: &[u8]| csv::run(data));
