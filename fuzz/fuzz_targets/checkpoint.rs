#![no_main]

#[path = "../../tests/fuzz_bodies/crc32.rs"]
mod crc32;
#[path = "../../tests/fuzz_bodies/checkpoint.rs"]
mod checkpoint;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpoint::run(data));
