#![no_main]

libfuzzer_sys::fuzz_target!(init: { fuzzed::plant("rows") }, |data: &[u8]| fuzzed::rows(data));
