#![no_main]

libfuzzer_sys::fuzz_target!(init: { fuzzed::plant("component") }, |data: &[u8]| fuzzed::component(data));
