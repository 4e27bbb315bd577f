#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatelodge::fuzzing::forward_auth(bytes));
