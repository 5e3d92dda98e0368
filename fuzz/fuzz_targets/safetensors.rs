#![no_main]

#[path = "../../tests/fuzz_bodies/safetensors.rs"]
mod safetensors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| safetensors::run(data));
