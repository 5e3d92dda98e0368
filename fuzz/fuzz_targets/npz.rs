#![no_main]

#[path = "../../tests/npz/builder.rs"]
#[allow(dead_code, reason = "it makes more for the tests")]
mod builder;
#[path = "../../tests/fuzz_bodies/npz.rs"]
mod npz;

libfuzzer_sys::fuzz_target!(|data: &[u8]| npz::run(data));
