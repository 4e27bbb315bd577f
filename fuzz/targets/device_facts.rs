#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gatelodge::fuzzing::device_facts(bytes));
