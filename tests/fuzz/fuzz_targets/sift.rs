#![no_main]

libfuzzer_sys::fuzz_target!(init: { fuzzed::plant("sift") }, |data: &[u8]| fuzzed::sift(data));
