//! libFuzzer on `onward_fuzz::imap`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    onward_fuzz::imap(data);
});
