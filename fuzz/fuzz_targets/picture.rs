#![no_main]

#[path = "../../tests/fuzz_bodies/network.rs"]
mod network;
#[path = "../../tests/fuzz_bodies/picture.rs"]
mod picture;

libfuzzer_sys::fuzz_target!(|data: &[u8]| picture::run(data));
