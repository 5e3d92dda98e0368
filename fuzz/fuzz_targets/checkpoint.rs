#![no_main]

#[path = "../../tests/fuzz_bodies/checkpoint.rs"]
mod checkpoint;
#[path = "../../tests/fuzz_bodies/crc32.rs"]
#[allow(dead_code, reason = "it seals whole files for another target")]
mod crc32;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checkpoint::run(data));
