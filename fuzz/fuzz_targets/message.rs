//! libFuzzer on `onward_fuzz::message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    onward_fuzz::message(data);
});
