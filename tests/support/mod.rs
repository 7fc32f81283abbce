//! What the tests share: private servers, temporary homes, the binary.

<<<<<<< HEAD
#![allow(dead_code, reason = "not every area uses every helper")]

<<<<<<< HEAD
pub mod certificates;
pub mod dovecot;
pub mod imap_script;
=======
pub mod smtp_sink;
>>>>>>> h6
=======
pub mod skip;
>>>>>>> h8
