#![no_main]

#[path = "../../tests/fuzz_bodies/unipen.rs"]
mod unipen;

libfuzzer_sys::fuzz_target!(|data: &[u8]| unipen::run(data));
