#![no_main]

#[path = "../../tests/fuzz_bodies/crc32.rs"]
mod crc32;
#[path = "../../tests/fuzz_bodies/weights.rs"]
mod weights;

libfuzzer_sys::fuzz_target!(|data: &[u8]| weights::run(data));
