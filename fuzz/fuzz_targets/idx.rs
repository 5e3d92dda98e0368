#![no_main]

#[path = "../../tests/fuzz_bodies/idx.rs"]
mod idx;

libfuzzer_sys::fuzz_target!(|data: &[u8]| idx::run(data));
