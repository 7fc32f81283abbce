//! Rule files: their syntax, their checks, and the compiled set that judges mail.
