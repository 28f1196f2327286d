#![no_main]

libfuzzer_sys::fuzz_target!(init: { fuzzed::plant("configuration") }, |data: &[u8]| fuzzed::configuration(data));
