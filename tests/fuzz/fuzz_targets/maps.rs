#![no_main]

libfuzzer_sys::fuzz_target!(init: { fuzzed::plant("maps") }, |data: &[u8]| fuzzed::maps(data));
