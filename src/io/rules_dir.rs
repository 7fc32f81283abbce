//! Reads the files of the person's rule directory.
