#![no_main]

#[path = "../../tests/fuzz_bodies/network.rs"]
mod network;
#[path = "../../tests/fuzz_bodies/pixels.rs"]
mod pixels;

libfuzzer_sys::fuzz_target!(|data: &[u8]| pixels::run(data));
