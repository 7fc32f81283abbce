//! libFuzzer on `onward_fuzz::text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    onward_fuzz::text(data);
});
