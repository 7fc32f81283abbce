//! libFuzzer on `onward_fuzz::compose`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    onward_fuzz::compose(data);
});
