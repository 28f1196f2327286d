#![no_main]

libfuzzer_sys::fuzz_target!(init: { fuzzed::plant("replies") }, |data: &[u8]| fuzzed::replies(data));
